import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { takeLock } from "#lab/state/lock.ts";
import { cacheFolder, labPaths } from "#lab/state/paths.ts";
import { type LabState, parseState, readState, writeState } from "#lab/state/state.ts";
import { planState } from "#lab/up.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lab-state-"));
});
afterEach(() => rm(folder, { recursive: true }));

const state: LabState = {
  version: 1,
  name: "lab",
  dualStack: false,
  disk: "8G",
  base: "/cache/base/x",
  hosts: { cp1: { index: 11, power: "on", process: { pid: 7, started: "boot/1" } } },
  services: {},
};

describe("state", () => {
  it("comes back as it was written, and leaves no draft behind", async () => {
    const file = join(folder, "labs", "lab", "state.json");
    await writeState(file, state);
    expect(await readState(file)).toEqual(state);
    expect(await readdir(join(folder, "labs", "lab"))).toEqual(["state.json"]);
  });

  it("is undefined for a lab that does not exist", async () => {
    expect(await readState(join(folder, "none.json"))).toBeUndefined();
  });

  it.each([
    ["half a file", '{"version":1,"na'],
    ["another version", JSON.stringify({ ...state, version: 2 })],
    ["an unknown field", JSON.stringify({ ...state, more: 1 })],
    ["a host without an index", JSON.stringify({ ...state, hosts: { cp1: { power: "on" } } })],
  ])("names the file when it holds %s", (_, text) => {
    expect(() => parseState(text, "/labs/x/state.json")).toThrow(/\/labs\/x\/state\.json/);
  });

  it("follows XDG variables, and ignores those that are not absolute", () => {
    expect(cacheFolder({ XDG_CACHE_HOME: "/c" })).toBe("/c/run-playbook");
    expect(cacheFolder({ XDG_CACHE_HOME: "c" })).toMatch(/\/\.cache\/run-playbook$/);
    const paths = labPaths("dev", { XDG_STATE_HOME: "/s" });
    expect(paths.state).toBe("/s/run-playbook/labs/dev/state.json");
    expect(paths.lock).toBe("/s/run-playbook/labs/dev.lock");
  });
});

describe("planned state", () => {
  const base = "/cache/base/new";

  it("starts with three control planes and a worker", () => {
    const planned = planState("lab", {}, { base, earlier: undefined });
    expect(Object.entries(planned.hosts).map(([name, { index }]) => [name, index])).toEqual([
      ["cp1", 11],
      ["cp2", 12],
      ["cp3", 13],
      ["w1", 14],
    ]);
  });

  it("adds a host without moving those there are, on the base they stand on", () => {
    const planned = planState("lab", { hosts: ["cp1", "w2"] }, { base, earlier: state });
    expect(planned.hosts["cp1"]).toEqual(state.hosts["cp1"]);
    expect(planned.hosts["w2"]).toEqual({ index: 12, power: "on" });
    expect(planned.base).toBe(state.base);
  });

  it("keeps a host's address while its power is cut, and leaves it off unless it is named", () => {
    const off: LabState = { ...state, hosts: { w1: { index: 12, power: "off" } } };
    const planned = planState("lab", { hosts: ["cp1"] }, { base, earlier: off });
    expect(planned.hosts).toEqual({
      w1: { index: 12, power: "off" },
      cp1: { index: 11, power: "on" },
    });
    const again = planState("lab", {}, { base, earlier: off });
    expect(again.hosts["w1"]).toEqual({ index: 12, power: "on" });
  });

  it("refuses another address family while the lab exists", () => {
    expect(() => planState("lab", { dualStack: true }, { base, earlier: state })).toThrow(
      /IPv6 only, not IPv6 and IPv4/,
    );
  });
});

describe("lock", () => {
  it("is had by one at a time, and the other is told who has it", async () => {
    const file = join(folder, "lab.lock");
    await using _held = await takeLock(file, "lab");
    await expect(takeLock(file, "lab", { seconds: 0 })).rejects.toThrow(
      new RegExp(`is being changed by process ${process.pid}, since \\d{4}-`),
    );
  });

  it("is free again after it is given back", async () => {
    const file = join(folder, "lab.lock");
    for (let turn = 0; turn < 3; turn += 1) {
      await using lock = await takeLock(file, "lab", { seconds: 5 });
      expect(await readFile(lock.file, "utf8")).toContain(String(process.pid));
    }
  });

  it("holds for the waiting one too when the file is deleted meanwhile", async () => {
    const file = join(folder, "lab.lock");
    const first = await takeLock(file, "lab");
    const waits = Promise.withResolvers<void>();
    const waiting = takeLock(file, "lab", { seconds: 10, onWait: waits.resolve });
    await waits.promise;
    await rm(file);
    await first[Symbol.asyncDispose]();
    await using _second = await waiting;
    await expect(takeLock(file, "lab", { seconds: 0 })).rejects.toThrow(/is being changed/);
  });
});
