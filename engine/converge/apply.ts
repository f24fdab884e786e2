import type { AttributesChange, Change, DirectoryChange, RunChange } from "../dsl/change.ts";
import { toMs } from "../dsl/duration.ts";
import type { Command } from "../host/command.ts";
import type { FileAttributes } from "../host/connection.ts";
import { commandFailed } from "./command-failure.ts";
import { bytesOf } from "./content.ts";
import { applyGuarded } from "./guard.ts";
import { withEnv } from "./host.ts";
import { type Applying, callOptions } from "./reached.ts";
import { applyReboot } from "./reboot.ts";
import { applyRemove } from "./remove.ts";

/** Makes one change. Whether it helped is for the next read to tell. */
export async function applyChange(change: Change, applying: Applying): Promise<void> {
  const { connection } = applying.on;
  const options = callOptions(applying.manner);
  switch (change.op) {
    case "run":
      return runCommand(change, applying);
    case "write":
      return connection.writeFile(change.path, bytesOf(change.content), {
        ...change.attributes,
        ...options,
      });
    case "attributes":
      return setAttributes(change, applying);
    case "directory":
      return makeDirectory(change, applying);
    case "remove":
      return applyRemove(change, applying);
    case "upload":
      await connection.upload(change.from, change.to, { ...change.attributes, ...options });
      return;
    case "download":
      return connection.download(change.from, change.to, options);
    case "guarded":
      return applyGuarded(change, applying);
    case "reboot":
      return applyReboot(change, applying);
  }
}

async function runCommand({ command, timeout }: RunChange, applying: Applying): Promise<void> {
  const { manner } = applying;
  const left = () =>
    Math.min(manner.left(), timeout === undefined ? Number.POSITIVE_INFINITY : toMs(timeout));
  const within = { ...manner, left };
  await execute(withEnv(command, manner), { ...applying, manner: within, long: true });
}

async function execute(
  command: Command,
  { on, manner, long = false }: Applying & { long?: boolean },
): Promise<void> {
  const result = await on.connection.run(command, { ...callOptions(manner), long });
  if (result.code !== 0) throw commandFailed(command, result);
}

async function setAttributes({ path, attributes }: AttributesChange, applying: Applying) {
  for (const command of attributeCommands(path, attributes)) await execute(command, applying);
}

async function makeDirectory({ path, attributes }: DirectoryChange, applying: Applying) {
  await execute({ argv: ["mkdir", "-p", "--", path] }, applying);
  await setAttributes({ op: "attributes", path, attributes, say: "" }, applying);
}

// Owner before mode: chown clears the set-user-id bit that a mode may have set. Five digits: with fewer, chmod leaves a
// directory its set-user-id and set-group-id bits, one that it got from the directory above too (coreutils, 27.4).
function attributeCommands(path: string, { mode, owner, group }: FileAttributes): Command[] {
  const who = owner === undefined ? `:${group}` : group === undefined ? owner : `${owner}:${group}`;
  return [
    ...(owner === undefined && group === undefined
      ? []
      : [{ argv: ["chown", "--", who, path] } satisfies Command]),
    ...(mode === undefined
      ? []
      : [{ argv: ["chmod", "--", mode.toString(8).padStart(5, "0"), path] } satisfies Command]),
  ];
}
