import { spawn } from "node:child_process";
import { mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import { PlaybookError } from "#engine/errors/error.ts";
import { isMissing } from "../machine/files.ts";

/** A held lock; `await using` gives it back, and so does the end of this process, however it ends. */
export interface Lock extends AsyncDisposable {
  readonly file: string;
}

// flock(1) holds the lock for as long as our end of its standard input is open, so a killed holder leaves none behind.
// The second test: whoever had the lock before may have deleted the file, and then this is a lock on nothing.
const HOLD = `
exec 9>>"$1"
flock -n 9 || { echo waiting; flock -w "$2" 9; } || { echo busy; exit 0; }
[ "$(stat -Lc %i /proc/self/fd/9)" = "$(stat -c %i "$1" 2>/dev/null)" ] || { echo gone; exit 0; }
echo "$3" >"$1"
echo held
exec cat >/dev/null`;

/** How long to wait for a lock, and whom to tell that there is a wait. */
export interface Patience {
  readonly seconds?: number;
  readonly onWait?: () => void;
}

/** Takes the lock on a file, or says who has it after the given time. */
export async function takeLock(
  file: string,
  what: string,
  { seconds = 120, onWait }: Patience = {},
): Promise<Lock> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const holder = `process ${process.pid}, since ${new Date().toISOString()}`;
  for (;;) {
    const child = spawn("sh", ["-c", HOLD, "sh", file, String(seconds), holder], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
    const answer = await verdict(child.stdout, onWait);
    if (answer === "held") {
      return {
        file,
        async [Symbol.asyncDispose]() {
          child.stdin.end();
          await ended;
        },
      };
    }
    await ended;
    if (answer === "gone") continue;
    const by = await readFile(file, "utf8").catch((error: unknown) => {
      if (isMissing(error)) return "another command";
      throw error;
    });
    throw new PlaybookError("PB_LAB_BUSY", [what, by.trim() || "another command", seconds]);
  }
}

async function verdict(stream: NodeJS.ReadableStream, onWait?: () => void): Promise<string> {
  for await (const line of createInterface({ input: stream })) {
    if (line !== "waiting") return line;
    onWait?.();
  }
  return "";
}
