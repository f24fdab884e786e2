import type { RebootChange } from "../dsl/change.ts";
import { toMs } from "../dsl/duration.ts";
import { isPlaybookError, PlaybookError } from "../errors/error.ts";
import { sh } from "../host/command.ts";
import type { Connection } from "../host/connection.ts";
import { lastLines } from "./command-failure.ts";
import type { Applying } from "./reached.ts";

const PAUSE_MS = 1000;
const CALL_MS = 5000;

/** Starts the host anew and waits until it answers with another boot id: sshd may answer for a while before it goes. */
export async function applyReboot({ within }: RebootChange, applying: Applying): Promise<void> {
  const { on, manner, clock } = applying;
  const deadline = clock.steady() + toMs(within);
  const before = await bootId(on.connection, applying);
  await order(applying);
  let last: unknown;
  while (clock.steady() < deadline) {
    await clock.wait(PAUSE_MS, manner.signal);
    try {
      const connection = await on.reconnect({ timeoutMs: CALL_MS });
      if ((await bootId(connection, applying)) !== before) return;
    } catch (error) {
      if (manner.signal.aborted || !isPlaybookError(error)) throw error;
      last = error;
    }
  }
  const why = `it did not answer with a new boot id within ${within}`;
  throw new PlaybookError("PB_REBOOT_FAILED", [on.name, why], {}, { cause: last });
}

async function order(applying: Applying): Promise<void> {
  const { on } = applying;
  const command = sh`systemctl reboot`;
  // The host may be gone before it answers; whether it went is seen by its boot id.
  const result = await on.connection.run(command, options(applying)).catch((error: unknown) => {
    if (!isPlaybookError(error) || applying.manner.signal.aborted) throw error;
    return undefined;
  });
  if (result === undefined || result.code === 0) return;
  const why = lastLines(result.stderr).at(-1) ?? `systemctl exited ${result.code}`;
  throw new PlaybookError("PB_REBOOT_FAILED", [on.name, why]);
}

async function bootId(connection: Connection, applying: Applying): Promise<string> {
  const id = await connection.readFile("/proc/sys/kernel/random/boot_id", options(applying));
  return id?.toString("utf8").trim() ?? "";
}

const options = ({ manner }: Applying) => ({
  as: "root",
  timeoutMs: CALL_MS,
  signal: manner.signal,
});
