import type { ErrorSpecs } from "../spec.ts";

/** What the lab downloads, builds and serves: sources, builds, images. */
export const artifactErrors = {
  PB_ARTIFACT_SOURCE: {
    message: (from: string, why: string) => `Nothing can be taken from ${from}: ${why}.`,
    hint: "Give a folder or an http(s) URL that is laid out as the lab's mirror is, or leave it out.",
  },
  PB_ARTIFACT_CHECKSUM: {
    message: (file: string, want: string, got: string) =>
      `${file} has the sha256 ${got}, its source promises ${want}.`,
    hint: "Do not use that file: delete it at its source, or take another source.",
  },
  PB_ARTIFACT_UNAVAILABLE: {
    message: (artifact: string, tried: readonly string[]) =>
      `${artifact} is not to be had: ${tried.join("; ")}.`,
    hint: "Give a folder or mirror that has it, or let the machine reach one of the sources.",
  },
  PB_ARTIFACT_LOCKED: {
    message: (what: string, holder: string, minutes: number) =>
      `${what} has been in the hands of process ${holder} for more than ${minutes} minutes.`,
    hint: "Look at what that process does; end it when it hangs, and run this again.",
  },
  PB_CACHE_UNWRITABLE: {
    message: (path: string, why: string) => `${path} cannot be written: ${why}.`,
    hint: "Make room or give write access there, or set XDG_CACHE_HOME to a folder that has both (6 GiB with builds).",
  },
  PB_BUILD_TOOL_MISSING: {
    message: (tool: string, purpose: string) =>
      `${tool} is not on PATH; it is needed to ${purpose}.`,
    hint: "Install it (on Debian and Ubuntu the package has the tool's name) and run this again.",
  },
  PB_GO_UNUSABLE: {
    message: (why: string, artifact: string) => `${artifact} has to be built, but ${why}.`,
    hint: "Install Go 1.21 or later (it fetches a newer one of itself when a module asks for it), or give a mirror.",
  },
  PB_BUILD_FAILED: {
    message: (command: string, how: string) => `${command} ${how}.`,
    hint: "The lines above are its last ones. A refused download is the usual cause: run again, or give a mirror.",
  },
  PB_LAB_VERSIONS: {
    message: (image: string, program: string, version: string) =>
      `The cluster will pull ${image}, but the lab has ${program} ${version} to put into it.`,
    hint: "Give the lab the version that this Kubernetes names: lab/versions.ts, or the option for it.",
  },
  PB_REGISTRY_REFUSED: {
    message: (what: string, status: number, said: string) =>
      `The registry answered ${status} to ${what}: ${said}`,
    hint: "The registry's log says more; a full disk is the usual cause.",
  },
  PB_REGISTRY_UNREACHABLE: {
    message: (url: string, why: string) => `The registry at ${url} does not answer: ${why}.`,
    hint: "Start it again with `run-playbook lab up`, and look at its log.",
  },
} satisfies ErrorSpecs;
