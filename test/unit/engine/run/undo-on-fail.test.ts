import { describe, expect, test } from "vitest";
import { z } from "zod";
import { type Change, remove, run, writeFile } from "#engine/dsl/change.ts";
import { defineModule } from "#engine/dsl/module.ts";
import { PlaybookError } from "#engine/errors/error.ts";
import { sh } from "#engine/host/command.ts";
import { FakeHost } from "#engine/host/fake/host.ts";
import type { FakeProgram } from "#engine/host/fake/programs.ts";
import type { Witness } from "#engine/run/witness.ts";
import { play } from "../../../support/play.ts";
import { scripted } from "../../../support/scripted.ts";

const PATHS = ["/etc/one", "/etc/two"] as const;

/** Two files, and between them a program that the test lets succeed or fail. */
const pair = defineModule({
  name: "pair",
  summary: "Keep two files, with a program run between.",
  params: z.strictObject({ value: z.string() }),
  async read(host) {
    const [one, two] = await Promise.all(PATHS.map((path) => host.readFile(path)));
    return { one, two };
  },
  *diff(now, { value }): Generator<Change> {
    if (now.one !== value) yield writeFile(PATHS[0], value, { was: now.one });
    if (now.two === value) return;
    yield run(sh`between`, "run it");
    yield writeFile(PATHS[1], value, { was: now.two });
  },
  *undo(before, now) {
    if (before.one === "lost") throw new PlaybookError("PB_UNDO_LOST", [PATHS[0], "it is gone"]);
    yield* back(PATHS[1], before.two, now.two);
    yield* back(PATHS[0], before.one, now.one);
  },
});

function* back(path: string, before: string | undefined, now: string | undefined) {
  if (before === now) return;
  yield before === undefined ? remove(path) : writeFile(path, before, { was: now });
}

const fails: FakeProgram = () => ({ code: 3, stderr: "no\n" });

/** A host with one of the two files, on which the program in between goes as the test says. */
function host(between: FakeProgram = fails): FakeHost {
  const host = new FakeHost().programs({ between });
  host.files.put(PATHS[0], "old", { mode: 0o644 });
  return host;
}

const files = (of: FakeHost | undefined) => PATHS.map((path) => of?.files.text(path));

const undoing = (on: FakeHost, options: Parameters<typeof play>[1] = {}) =>
  play(
    ({ step, nodes }) =>
      step("pair", { on: nodes, onFail: "undo", timeout: "30s", ensure: pair({ value: "new" }) }),
    { ...options, hosts: { h1: on } },
  );

describe('a step with onFail: "undo"', () => {
  test("that fails after its first change is undone, and fails all the same", async () => {
    const on = host();
    const { end, of, recap } = await undoing(on);
    expect(files(on)).toEqual(["old", undefined]);
    expect(end("pair")).toMatchObject({
      outcome: "failed",
      changes: 2,
      error: {
        code: "PB_COMMAND_FAILED",
        message: "between exited 3: no",
        state: "undone: h1 is again as the step found it",
        output: ["no"],
      },
    });
    expect(recap.exitCode).toBe(1);
    expect(of("change").map(({ change }) => change.say)).toEqual([
      "write /etc/one",
      "run it",
      "undo: write /etc/one",
    ]);
    expect(of("change")[2]?.change.diff).toEqual({ path: PATHS[0], before: "new", after: "old" });
    expect(of("node-waiting").map(({ saw }) => saw)).toEqual([
      "it failed: what it changed is being undone",
    ]);
  });

  test("that fails before its first change is not", async () => {
    const on = host();
    const { end, of } = await undoing(on, {
      witnesses: [{ changing: () => Promise.reject(new Error("the disk is full")) }],
    });
    expect(files(on)).toEqual(["old", undefined]);
    expect(end("pair").error).toMatchObject({ message: "the disk is full" });
    expect(end("pair").error?.state).toBeUndefined();
    expect(of("change")).toEqual([]);
  });

  test("that succeeds is left as it is", async () => {
    const on = host(() => undefined);
    const { end } = await undoing(on);
    expect(end("pair").outcome).toBe("changed");
    expect(files(on)).toEqual(["new", "new"]);
  });

  test("goes back to what the first attempt found, once no attempt is left", async () => {
    const on = host();
    const { end, of } = await play(
      ({ step, nodes }) =>
        step("pair", {
          on: nodes,
          onFail: "undo",
          retries: { times: 2 },
          ensure: pair({ value: "new" }),
        }),
      { hosts: { h1: on } },
    );
    expect(files(on)).toEqual(["old", undefined]);
    expect(end("pair").error?.state).toBe("undone: h1 is again as the step found it");
    expect(of("change").filter(({ change }) => change.say.startsWith("undo: "))).toHaveLength(1);
  });

  test("without it what was changed stays", async () => {
    const on = host();
    const { end } = await play(
      ({ step, nodes }) => step("pair", { on: nodes, ensure: pair({ value: "new" }) }),
      { hosts: { h1: on } },
    );
    expect(files(on)).toEqual(["new", undefined]);
    expect(end("pair").error?.state).toContain("1 of 3 changes on h1 were applied");
  });

  test("each host is undone by itself: one that went well keeps its change", async () => {
    const [bad, good] = [host(), host(() => undefined)];
    const { outcomes } = await play(
      ({ step, nodes }) =>
        step("pair", { on: nodes, onFail: "undo", ensure: pair({ value: "new" }) }),
      { hosts: { h1: bad, h2: good } },
    );
    expect(outcomes).toEqual({ "pair @ h1": "failed", "pair @ h2": "changed" });
    expect([files(bad), files(good)]).toEqual([
      ["old", undefined],
      ["new", "new"],
    ]);
  });

  test("that hangs is stopped first, and undone in a time of its own", async () => {
    const order: string[] = [];
    const on = host(
      ({ signal }) =>
        new Promise((resolve) =>
          signal.addEventListener("abort", () => {
            order.push("stopped");
            resolve(undefined);
          }),
        ),
    );
    const { end } = await undoing(on, {
      hear: (event) => {
        if (event.type === "change" && event.change.say.startsWith("undo")) order.push("undone");
      },
    });
    expect(order).toEqual(["stopped", "undone"]);
    expect(files(on)).toEqual(["old", undefined]);
    expect(end("pair").error).toMatchObject({
      code: "PB_STEP_TIMEOUT",
      state: "undone: h1 is again as the step found it",
    });
  });

  test("whose undoing fails says what is left and why it failed in the first place", async () => {
    const on = host(({ host }) => {
      host.files.refuseWrites = "Read-only file system";
      return { code: 3, stderr: "no\n" };
    });
    const { end } = await undoing(on);
    expect(end("pair")).toMatchObject({
      outcome: "failed",
      error: {
        code: "PB_UNDO_FAILED",
        step: "pair",
        host: "h1",
        message: expect.stringMatching(
          /^Step "pair" failed on h1, and undoing it failed too: .*Read-only file system/,
        ),
        state: "2 of its changes on h1 were begun, and 1 back, the last one in doubt",
        causes: ["between exited 3: no"],
      },
    });
  });

  test("whose host is lost says that nothing was undone, and the host is given up", async () => {
    const gone = new PlaybookError("PB_CONNECT_REFUSED", ["h1"]);
    const on = host(({ host }) => {
      host.loseAfter = 0;
      host.unreachable = gone;
      return { code: 3 };
    });
    const { end, outcomes, of } = await play(
      ({ step, nodes }) => {
        const first = step("pair", { on: nodes, onFail: "undo", ensure: pair({ value: "new" }) });
        step("tidy", { on: nodes, onFail: [first], ensure: pair({ value: "tidy" }) });
      },
      { hosts: { h1: on } },
    );
    expect(end("pair").error).toMatchObject({
      code: "PB_UNDO_FAILED",
      state: "2 of its changes on h1 were begun, none of them was undone",
    });
    expect(outcomes).toEqual({ "pair @ h1": "failed", "tidy @ h1": "unreachable" });
    expect(of("host-unreachable")).toHaveLength(1);
  });

  test("what cannot be brought back fails it before its first change, under --check too", async () => {
    for (const mode of ["apply", "check"] as const) {
      const on = host(() => undefined);
      on.files.put(PATHS[0], "lost");
      const { end, of } = await undoing(on, { mode });
      expect(end("pair").error).toMatchObject({
        code: "PB_UNDO_LOST",
        host: "h1",
        state: "nothing was changed on h1",
      });
      expect(end("pair").outcome).toBe(mode === "check" ? "cannot-tell" : "failed");
      expect(of("change")).toEqual([]);
      expect(files(on)).toEqual(["lost", undefined]);
    }
  });

  test("a cut ends at once, and says that nothing was undone", async () => {
    const cut = new AbortController();
    const on = host(() => {
      cut.abort();
      return { code: 3 };
    });
    const { end } = await undoing(on, { cut: cut.signal });
    expect(files(on)).toEqual(["new", undefined]);
    expect(end("pair").error).toMatchObject({
      code: "PB_STEP_CUT",
      state: "what it changed on h1 was not undone",
    });
  });

  test("a witness hears of each change back before it is made, and may refuse it", async () => {
    const heard: string[] = [];
    const witness: Witness = {
      undoing: async (_, index, { say }) => {
        heard.push(`${index}: ${say}`);
        throw new Error("the journal cannot be written");
      },
    };
    const on = host();
    const { end } = await undoing(on, { witnesses: [witness] });
    expect(heard).toEqual(["0: write /etc/one"]);
    expect(files(on)).toEqual(["new", undefined]);
    expect(end("pair").error).toMatchObject({
      code: "PB_UNDO_FAILED",
      message: expect.stringContaining("the journal cannot be written"),
      state: "2 of its changes on h1 were begun, none of them was undone",
    });
  });
});

describe("what cannot be undone", () => {
  const { module: plain } = scripted();
  const lasting = defineModule({
    ...plain.spec,
    name: "lasting",
    lasting: "a cluster that began holds data",
  });

  test('is refused in a step with onFail: "undo", before any connection', async () => {
    const tries = (ensure: typeof plain) =>
      play(({ step, nodes }) => step("a", { on: nodes, onFail: "undo", ensure: ensure({}) }));
    await expect(tries(plain)).rejects.toMatchObject({
      code: "PB_CANNOT_UNDO",
      message:
        'Step "a" says onFail: "undo", but what scripted changes cannot be undone: the module scripted has no undo.',
      context: { step: "a", at: expect.stringMatching(/undo-on-fail\.test\.ts:\d+$/) },
    });
    await expect(tries(lasting as typeof plain)).rejects.toThrow(
      /cannot be undone: a cluster that began holds data\.$/,
    );
  });

  test("is said before the run starts where the playbook undoes anything, and not otherwise", async () => {
    const said = async (onFail: "undo" | undefined) => {
      const { events } = await play(({ step, nodes }) => {
        const options = onFail === undefined ? {} : { onFail };
        step("pair", { on: nodes, ...options, ensure: pair({ value: "new" }) });
        step("cluster", { on: nodes, ensure: lasting({}) });
        step("plain", { on: nodes, ensure: plain({}) });
      });
      const [first] = events;
      return first?.type === "run-started" ? first.lasting : "no start";
    };
    expect(await said("undo")).toEqual([
      '"cluster" cannot be undone: a cluster that began holds data',
      '"plain" cannot be undone: the module scripted has no undo',
    ]);
    expect(await said(undefined)).toBeUndefined();
  });
});
