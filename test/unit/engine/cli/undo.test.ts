import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { cli } from "../../../support/cli.ts";
import { folder } from "../../../support/program.ts";

// Each starts the real command line several times, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

// On the control machine and as whoever runs the tests. `stone` cannot be undone, and stands on `low`.
const playbook = `import { userInfo } from "node:os";
import { defineInventory, defineModule, playbook, remove, writeFile } from "run-playbook";
import { z } from "zod";

const note = defineModule({
  name: "note",
  summary: "Keep a note.",
  params: z.strictObject({ path: z.string(), text: z.string() }),
  async read(host, want) {
    return { now: await host.readFile(want.path) };
  },
  *diff({ now }, { path, text }) {
    if (now !== text) yield writeFile(path, text, { was: now, owner: userInfo().username });
  },
  *undo(before, now, { path }) {
    if (before.now === now.now) return;
    yield before.now === undefined ? remove(path) : writeFile(path, before.now, { was: now.now, owner: userInfo().username });
  },
});
const stone = defineModule({ ...note.spec, name: "stone", undo: undefined, lasting: "it is written in stone" });

export default playbook(
  "notes",
  {
    inventory: defineInventory({ hosts: {}, groups: {} }),
    params: z.object({ text: z.string().default("new"), stone: z.boolean().default(false) }),
    confirm: "Write them?",
  },
  ({ step, control, params }) => {
    const own = { on: control, as: userInfo().username };
    const path = (name) => import.meta.dirname + "/" + name;
    const low = step("low", { ...own, ensure: note({ path: path("low"), text: params.text }) });
    if (params.stone) step("stone", { ...own, after: [low], ensure: stone({ path: path("stone"), text: "s" }) });
    step("high", { ...own, after: [low], ensure: note({ path: path("high"), text: params.text }) });
  },
);
`;

/** A folder with the playbook, runs of its own, and records that lie beside them. */
async function stage() {
  const { path: cwd, ...here } = await folder({ "notes.ts": playbook, low: "old" });
  const env = { XDG_STATE_HOME: join(cwd, "state") };
  return {
    ...here,
    cwd,
    text: (name: string) => readFile(join(cwd, name), "utf8").catch(() => undefined),
    cli: (...args: string[]) => cli(args, { cwd, env }),
    records: join(cwd, "state/run-playbook/undo"),
  };
}

test("a run is shown as it would be undone, undone once it is answered, and then nothing is left of it", async () => {
  await using here = await stage();
  expect((await here.cli("notes.ts", "--yes")).code).toBe(0);
  expect([await here.text("low"), await here.text("high")]).toEqual(["new", "new"]);

  const checked = await here.cli("undo", "last", "--check", "--diff", "--output", "lines");
  expect(checked.code).toBe(3);
  expect(checked.stderr).toMatch(
    /^Undoing 2\S+: notes, begun .*\n2 steps on 1 host go back, newest first\.\n$/,
  );
  expect(checked.stdout).toMatch(
    /undo high localhost: remove .*undo low localhost: write .*\n-new\n.*\+old/s,
  );
  expect(await here.text("low")).toBe("new");

  expect(await here.cli("undo", "last")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('PB_CONFIRM_NEEDED\n  Nobody is there to answer: "Undo it?"'),
  });
  expect(await here.text("low")).toBe("new");

  const undone = await here.cli("undo", "last", "--yes", "--output", "lines", "-v");
  expect(undone.code).toBe(0);
  expect(undone.stdout).toMatch(
    /^undo of notes: 2 steps .*undo high localhost changed.*undo low localhost changed.*converged/s,
  );
  expect([await here.text("low"), await here.text("high")]).toEqual(["old", undefined]);

  const [shown, runs] = [await here.cli("show", "last"), await here.cli("runs")];
  expect(shown.stdout).toMatch(/\nplaybook {2}undo of notes .*\nundoes {4}2\S+\n/s);
  expect(runs.stdout.match(/converged/g)).toHaveLength(2);
});

test("`undo last` after an undo is the run before it, and none where all is undone", async () => {
  await using here = await stage();
  await here.cli("notes.ts", "--yes");
  await here.cli("notes.ts", "--yes", "--param", "text=newer");
  expect((await here.cli("undo", "last", "--yes")).code).toBe(0);
  expect([await here.text("low"), await here.text("high")]).toEqual(["new", "new"]);
  expect((await here.cli("undo", "last", "--yes")).code).toBe(0);
  expect([await here.text("low"), await here.text("high")]).toEqual(["old", undefined]);
  const third = await here.cli("undo", "last", "--yes");
  expect(third).toMatchObject({ code: 2, stderr: expect.stringContaining("PB_UNDO_NOTHING") });
});

test("a run that goes on with one whose journal is gone is not undone in part", async () => {
  await using here = await stage();
  const state = join(here.cwd, "state/run-playbook/runs");
  await here.cli("notes.ts", "--yes");
  const [first = ""] = await readdir(state);
  const journal = await readFile(join(state, first, "journal.jsonl"), "utf8");
  const later = first.replace(/.$/, (char) => (char === "z" ? "y" : "z"));
  const resumed = journal.replaceAll(first, later).replace('"run":', `"resumes":"${first}","run":`);
  await mkdir(join(state, later), { mode: 0o700 });
  await writeFile(join(state, later, "journal.jsonl"), resumed, { mode: 0o600 });
  await rm(join(state, first), { recursive: true });
  const undone = await here.cli("undo", later, "--yes");
  expect(undone).toMatchObject({ code: 2, stderr: expect.stringContaining("PB_UNDO_INCOMPLETE") });
  expect(await here.text("low")).toBe("new");
});

test("what cannot be undone is said first, and what it stands on stays", async () => {
  await using here = await stage();
  await here.cli("notes.ts", "--yes", "--param", "stone=true");
  const { code, stderr } = await here.cli("undo", "last", "--yes");
  expect(code).toBe(0);
  expect(stderr).toContain('"stone" stays on localhost: it is written in stone\n');
  expect(stderr).toContain('"low" stays on localhost: "stone" on localhost depends on it\n');
  expect([await here.text("low"), await here.text("high")]).toEqual(["new", undefined]);
});

test("later runs and an edited playbook are named before it begins", async () => {
  await using here = await stage();
  await here.cli("notes.ts", "--yes");
  const [first = ""] = /^2\S+/m.exec((await here.cli("runs")).stdout) ?? [];
  await here.cli("notes.ts", "--yes", "--param", "text=newer");
  await writeFile(join(here.cwd, "notes.ts"), `${playbook}\n// a word more\n`);
  const { stderr } = await here.cli("undo", first, "--yes");
  expect(stderr).toMatch(
    /2\S+ \(notes\) changed localhost since: what both changed goes back too\n/,
  );
  expect(stderr).toContain("notes.ts was edited\n");
  expect(await here.text("low")).toBe("old");
});

test("a record that was changed is refused, and undoing goes on where it failed", async () => {
  await using here = await stage();
  await here.cli("notes.ts", "--yes");
  const [run = ""] = await readdir(here.records);
  const files = await readdir(join(here.records, run));
  const kept = await Promise.all(
    files.map(
      async (name) => [name, await readFile(join(here.records, run, name), "utf8")] as const,
    ),
  );
  const [name = "", text = ""] = kept.find(([, text]) => text.includes('"step":"low"')) ?? [];
  await writeFile(join(here.records, run, name), text.replace('"old"', '"evil"'));
  const failed = await here.cli("undo", "last", "--yes");
  expect(failed.code).toBe(1);
  expect(failed.stdout).toContain("PB_UNDO_TAMPERED");
  expect([await here.text("low"), await here.text("high")]).toEqual(["new", undefined]);

  await writeFile(join(here.records, run, name), text);
  const resumed = await here.cli("resume", "last", "--yes");
  expect(resumed.code).toBe(0);
  expect(await here.text("low")).toBe("old");
});

test("what there is nothing to undo of is no run", async () => {
  await using here = await stage();
  const none = await here.cli("undo", "last");
  expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining("PB_UNDO_NOTHING") });
  await here.cli("notes.ts", "--yes");
  await here.cli("undo", "last", "--yes");
  expect(
    await here.cli("undo", (await here.cli("runs")).stdout.split("\n")[1]?.split(" ")[0] ?? ""),
  ).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/PB_UNDO_NOTHING\n.*it undid 2/),
  });
  await here.cli("notes.ts", "--yes");
  await rm(here.records, { recursive: true });
  const forgotten = await here.cli("undo", "last", "--yes");
  expect(forgotten.code).toBe(1);
  expect(forgotten.stdout).toContain("PB_UNDO_FORGOTTEN");
});
