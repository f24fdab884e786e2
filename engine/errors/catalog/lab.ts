import type { ErrorSpecs } from "../spec.ts";

/** The lab: hosts, their network and what serves them, all on this machine. */
export const labErrors = {
  PB_LAB_MACHINE: {
    message: (why: string) => `This machine cannot carry a lab: ${why}.`,
    hint: "A lab needs root on a Linux machine with apt (Debian 12 or later, Ubuntu 24.04 or later).",
  },
  PB_LAB_NAME: {
    message: (kind: "lab" | "host", name: string, rule: string) =>
      `"${name}" cannot be the name of a ${kind}: ${rule}.`,
    hint: "Choose another name, for example `--name dev` or `--hosts cp1,cp2,cp3,w1`.",
  },
  PB_LAB_PACKAGES_MISSING: {
    message: (packages: readonly string[]) =>
      `The lab needs Debian packages that this machine lacks: ${packages.join(", ")}.`,
    hint: "Give --yes to let the lab install them with apt-get, or install them yourself.",
  },
  PB_LAB_COMMAND_FAILED: {
    message: (command: string, how: string) => `\`${command}\` ${how}.`,
    hint: "Run `run-playbook lab down` and `lab up` again; if it stays, the lines above say what the program met.",
  },
  PB_LAB_BUSY: {
    message: (lab: string, holder: string, seconds: number) =>
      `Lab "${lab}" is being changed by ${holder}; waited ${seconds} s.`,
    hint: "Wait for it to finish, or use a lab of your own with --name.",
  },
  PB_LAB_STATE: {
    message: (file: string, why: string) => `The lab's state ${file} cannot be read: ${why}.`,
    hint: "Run `run-playbook lab down` for that lab: it clears by name, without the state.",
  },
  PB_LAB_NOT_UP: {
    message: (lab: string) => `Lab "${lab}" is not up.`,
    hint: "Start it with `run-playbook lab up`.",
  },
  PB_LAB_UNKNOWN_HOST: {
    message: (host: string, known: readonly string[]) =>
      `The lab has no host "${host}" (it has ${known.join(", ") || "none"}).`,
    hint: "Add it with `run-playbook lab up --hosts …`, which leaves the running hosts alone.",
  },
  PB_LAB_HOST_DOWN: {
    message: (host: string, how: string) => `Host ${host} does not run: ${how}.`,
    hint: "Boot it with `run-playbook lab start HOST`.",
  },
  PB_LAB_HOST_NOT_READY: {
    message: (host: string, seconds: number, why: string) =>
      `Host ${host} did not answer ssh within ${seconds} s: ${why}.`,
    hint: "The console lines show how far it booted; `run-playbook lab exec HOST -- journalctl -b` shows more.",
  },
  PB_LAB_SERVICE_FAILED: {
    message: (service: string, why: string) =>
      `The lab's service ${service} did not start: ${why}.`,
    hint: "The lines are the end of its log; `run-playbook lab status` names the file.",
  },
  PB_LAB_LEFTOVER: {
    message: (what: string, seconds: number) => `${what} was still there after ${seconds} s.`,
    hint: "Run `run-playbook lab down` once more; what holds it is named above.",
  },
  PB_LAB_PREFIX_TAKEN: {
    message: (prefix: string, route: string) =>
      `The lab's prefix ${prefix} is already routed on this machine (${route}).`,
    hint: "Give the lab another name: its prefix is derived from it.",
  },
  PB_LAB_MIXED: {
    message: (what: string, was: string, wanted: string) =>
      `The running lab has ${what} ${was}, not ${wanted}.`,
    hint: "Run `run-playbook lab down` first: this cannot change while hosts run.",
  },
} satisfies ErrorSpecs;
