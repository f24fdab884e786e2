/** The command line, dead at a point of its journal: RUN_PLAYBOOK_TEST_DEATH is a Death as JSON. */
import { type FileHandle, open } from "node:fs/promises";
import type { Death } from "./deaths.ts";

const { RUN_PLAYBOOK_TEST_DEATH: given = "{}" } = process.env;
const death = JSON.parse(given) as Death;
if (death.at === "time") setTimeout(die, death.ms);
if (death.at === "line") await dieAtLine(death);
await import(new URL("../../dist/engine/cli/bin.js", import.meta.url).href);

type Write = (
  this: FileHandle,
  bytes: Uint8Array,
  ...where: readonly number[]
) => Promise<{ bytesWritten: number }>;

function die(): never {
  process.kill(process.pid, "SIGKILL");
  throw new Error("it is dead");
}

/** The journal alone is appended to: whoever else writes through a file handle says where. */
async function dieAtLine({ line, written, ms }: Extract<Death, { at: "line" }>): Promise<void> {
  const probe = await open("/dev/null");
  const prototype = Object.getPrototypeOf(probe) as Pick<FileHandle, "write">;
  await probe.close();
  const write: Write = prototype.write;
  let before = 0;
  async function counting(this: FileHandle, bytes: Uint8Array, ...where: readonly number[]) {
    if (where.length > 0) return write.call(this, bytes, ...where);
    const text = Buffer.from(bytes).toString("utf8");
    const ends = [0, ...Array.from(text.matchAll(/\n/g), ({ index }) => index + 1)];
    const [from, to] = [ends[line - before - 1], ends[line - before]];
    before += ends.length - 1;
    if (from === undefined || to === undefined) return write.call(this, bytes);
    const until = { none: from, torn: (from + to) >> 1, whole: to }[written];
    await write.call(this, Buffer.from(text.slice(0, until)));
    if (written !== "whole" || ms === 0) die();
    setTimeout(die, ms);
    await write.call(this, Buffer.from(text.slice(until)));
    return { bytesWritten: bytes.length };
  }
  Object.assign(prototype, { write: counting });
}
