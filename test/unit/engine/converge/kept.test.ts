import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findBefore, type Keeping, type KeptName, keepBefore } from "#engine/converge/kept.ts";
import { fromText, toText } from "#engine/converge/kept-text.ts";
import type { Manner, Reached } from "#engine/converge/reached.ts";
import { Secret } from "#engine/dsl/secret.ts";
import type { Command, Host } from "#engine/index.ts";
import { execute } from "../../../support/execute.ts";
import { folder } from "../../../support/program.ts";

const name: KeptName = { run: "2026-11-26-220159-k3f9", step: "kernel", host: "w1" };
const kept = { module: "sysctl", before: { live: { a: "0" } }, want: { values: { a: "1" } } };

/** A host whose records lie in a folder of the test's. */
async function stage() {
  const here = await folder({});
  const env = { XDG_STATE_HOME: join(here.path, "state") };
  const run = (command: Command) => execute({ ...command, env });
  const on = { connection: { run } } as unknown as Reached;
  const manner = { as: "root", env: {}, left: () => 60_000 } as unknown as Manner;
  return {
    ...here,
    base: join(here.path, "state/run-playbook/undo"),
    host: { name: "w1", run } as unknown as Host,
    keep: (of = name, what = kept) => keepBefore({ on, manner }, of, what),
  };
}

const shaOf = (keeping: Keeping) => ("sha256" in keeping ? keeping.sha256 : keeping.unkept);
const only = async (path: string) => join(path, (await readdir(path))[0] ?? "nothing");

describe("a record on the host", () => {
  test("gives back what was kept, and nobody else may read it", async () => {
    await using at = await stage();
    const keeping = await at.keep();
    expect(await findBefore(at.host, name, shaOf(keeping))).toMatchObject(kept);
    const run = join(at.base, name.run);
    const modes = await Promise.all([at.base, run, await only(run)].map((path) => stat(path)));
    expect(modes.map(({ mode }) => mode & 0o777)).toEqual([0o700, 0o700, 0o600]);
  });

  test("that was changed is refused, be it by one letter", async () => {
    await using at = await stage();
    const sha = shaOf(await at.keep());
    const path = await only(join(at.base, name.run));
    await writeFile(path, (await readFile(path, "utf8")).replace('"0"', '"9"'));
    await expect(findBefore(at.host, name, sha)).rejects.toMatchObject({
      code: "PB_UNDO_TAMPERED",
    });
  });

  test("that is gone says so", async () => {
    await using at = await stage();
    await at.keep();
    await expect(
      findBefore(at.host, { ...name, step: "another" }, "0".repeat(64)),
    ).rejects.toMatchObject({ code: "PB_UNDO_FORGOTTEN" });
  });

  test("is one of a step on a host: labels that look alike on disk do not meet", async () => {
    await using at = await stage();
    const names = ["a/b", "a b", "../a", "ä"].map((step) => ({ ...name, step }));
    const shas: string[] = [];
    for (const each of names) {
      const before = { live: { a: each.step } };
      shas.push(shaOf(await at.keep(each, { ...kept, before })));
    }
    for (const [index, each] of names.entries())
      expect(await findBefore(at.host, each, shas[index] ?? "")).toMatchObject({
        before: { live: { a: each.step } },
      });
    expect(await readdir(join(at.base, name.run))).toHaveLength(4);
  });

  test("of the last ten runs is kept, and of no older one", async () => {
    await using at = await stage();
    const runs = Array.from({ length: 12 }, (_, index) => `2026-11-26-2201${10 + index}-k3f9`);
    for (const run of runs) await at.keep({ ...name, run });
    expect((await readdir(at.base)).toSorted()).toEqual(runs.slice(2));
  });

  test("is not made where the run's records take too much, or there is no place; that is no failure", async () => {
    await using at = await stage();
    const large = { ...kept, before: { live: { a: "x".repeat(9 * 1024 * 1024) } } };
    expect(await at.keep(name, large)).toEqual({ unkept: "it takes 9217 KiB" });

    await mkdir(join(at.base, name.run), { recursive: true });
    await writeFile(join(at.base, name.run, "much"), Buffer.alloc(65 * 1024 * 1024, 1));
    expect(await at.keep()).toEqual({ unkept: "the records of this run take more than 65536 KiB" });

    await using full = await stage();
    await mkdir(join(full.base, ".."), { recursive: true });
    await writeFile(full.base, "no folder");
    expect(await full.keep()).toEqual({
      unkept: expect.stringMatching(/File exists|Not a directory/),
    });
  });
});

describe("what was found, as text", () => {
  test("comes back as it was", () => {
    const value = {
      map: new Map([["a", { deep: new Set([1, "2"]) }]]),
      bytes: new Uint8Array([0, 255]),
      list: [null, true, 1.5, "é\0"],
      like: { "\0map": [["not", "a map"]] },
    };
    expect(fromText(toText(value))).toEqual(value);
  });

  test("comes back as it was, whatever data it is", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(fromText(toText(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  test("holds no secret, and no function", () => {
    const text = toText({ content: new Secret("hunter2"), render: () => "x", path: "/etc/x" });
    expect(text).not.toContain("hunter2");
    const back = fromText(text) as { content: Secret; path: string };
    expect(back.content.reveal()).toBe("");
    expect(Object.keys(back)).toEqual(["content", "path"]);
  });
});
