import { spawn } from "node:child_process";
import { describe, expect, it } from "vitest";
import { identify, isAlive, parseStat } from "#engine/host/process-identity.ts";
import { end, withArgument } from "#lab/machine/processes.ts";

const sleeper = (...args: string[]) => spawn("sleep", ["60", ...args], { stdio: "ignore" });

describe("processes", () => {
  it("know a process again, and not a later one with its number", async () => {
    const child = sleeper();
    const identity = (await identify(child.pid!))!;
    expect(await isAlive(identity)).toBe(true);
    expect(await isAlive({ ...identity, started: `${identity.started}0` })).toBe(false);
    await end(identity, 5);
    expect(await isAlive(identity)).toBe(false);
  });

  it("never end another process that has the number by now", async () => {
    const child = sleeper();
    const identity = (await identify(child.pid!))!;
    await end({ ...identity, started: "another boot/1" }, 1);
    expect(await isAlive(identity)).toBe(true);
    await end(identity, 5);
  });

  it("end one that ignores SIGTERM", async () => {
    const child = spawn("sh", [
      "-c",
      "trap '' TERM; echo ready; while :; do read -r x || sleep 9; done",
    ]);
    await new Promise((resolve) => child.stdout.once("data", resolve));
    const identity = (await identify(child.pid!))!;
    await end(identity, 0.2);
    expect(await isAlive(identity)).toBe(false);
  });

  it("are found by one whole argument", async () => {
    const mark = `--machine=${crypto.randomUUID()}`;
    const child = spawn("sh", ["-c", "echo ready; read -r line", mark]);
    await new Promise((resolve) => child.stdout.once("data", resolve));
    expect(await withArgument(mark)).toEqual([child.pid]);
    expect(await withArgument(mark.slice(0, -1))).toEqual([]);
    child.stdin.end();
  });

  it("are read right whatever their name holds", () => {
    const rest = Array.from({ length: 30 }, (_, at) => at + 4);
    const line = `42 (a) Z (b c) S ${rest.join(" ")}`;
    expect(parseStat(line)).toEqual({ zombie: false, parent: 4, started: "22" });
  });
});
