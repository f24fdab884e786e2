import { join } from "node:path";
import { isPlaybookError, PlaybookError } from "#engine/errors/error.ts";
import type { Command } from "#engine/host/command.ts";
import type { Workshop } from "../artifact.ts";
import { runProgram } from "../program.ts";
import { inScratch } from "../scratch.ts";

/** From 1.21 on, go fetches the toolchain that a module asks for by itself. */
const OLDEST = { major: 1, minor: 21 };
/** The longest single step, compiling kubectl and all it shares with the others, takes 3 min on 2 cores. */
const TIMEOUT_MS = 30 * 60_000;

/** The go command, set up so that the user's own settings do not change what comes out. */
export interface Go {
  run(args: readonly string[], how?: { cwd?: string; cgo?: boolean }): Promise<string>;
}

/** The go command on PATH, once its version is known to do; `artifact` is what needs it. */
export async function findGo(workshop: Workshop, artifact: string): Promise<Go> {
  const logFile = join(workshop.home, "logs", `${artifact.replaceAll(/[^\w.-]+/g, "-")}.log`);
  const how = { logFile, purpose: `build ${artifact}`, timeoutMs: TIMEOUT_MS };
  const go: Go = {
    // go leaves its temporary files behind when it is ended; these are in a folder that goes with them.
    run: (args, { cwd, cgo = false } = {}) =>
      inScratch((scratch) => {
        const command: Command = {
          argv: ["go", ...args],
          env: { ...environment(workshop, cgo), GOTMPDIR: scratch },
          ...(cwd !== undefined && { cwd }),
        };
        return runProgram(command, { ...how, signal: workshop.signal });
      }),
  };
  const version = await go.run(["env", "GOVERSION"]).catch((error: unknown) => {
    if (isPlaybookError(error) && error.code === "PB_BUILD_TOOL_MISSING")
      throw new PlaybookError(
        "PB_GO_UNUSABLE",
        ["there is no go on PATH", artifact],
        {},
        { cause: error },
      );
    throw error;
  });
  checkGoVersion(version.trim(), artifact);
  return go;
}

/** Refuses a go that is too old to build what the lab needs; `version` is as `go env GOVERSION` prints it. */
export function checkGoVersion(version: string, artifact: string): void {
  const [, major = "0", minor = "0"] = /^go(\d+)\.(\d+)/.exec(version) ?? [];
  // A development build ("devel …") says no version; it is newer than any release.
  if (version.startsWith("devel")) return;
  const newEnough = Number(major) > OLDEST.major || Number(minor) >= OLDEST.minor;
  if (!newEnough)
    throw new PlaybookError("PB_GO_UNUSABLE", [
      `go on PATH is ${version || "of no known version"}`,
      artifact,
    ]);
}

const environment = ({ arch }: Workshop, cgo: boolean): Record<string, string> => ({
  GOOS: "linux",
  GOARCH: arch,
  GOFLAGS: "",
  GOWORK: "off",
  GOTOOLCHAIN: process.env["GOTOOLCHAIN"] ?? "auto",
  CGO_ENABLED: cgo ? "1" : "0",
});
