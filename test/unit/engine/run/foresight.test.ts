import { describe, expect, test } from "vitest";
import { z } from "zod";
import { writeFile } from "#engine/dsl/change.ts";
import { defineModule, noParams } from "#engine/dsl/module.ts";
import { PlaybookError } from "#engine/errors/error.ts";
import { FakeHost } from "#engine/host/fake/host.ts";
import { play } from "../../../support/play.ts";
import { type Act, Promises, scripted } from "../../../support/scripted.ts";
import { settled, VirtualClock } from "../../../support/virtual-clock.ts";

const one = { hosts: ["h1"] };

/** Gives those that wait the time to look, and no more: the clock goes on when nothing else is left to do. */
async function aMoment(): Promise<void> {
  for (let turn = 0; turn < 2; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
const slowly = (name: string) => (name === "a" ? aMoment() : undefined);

/** Keeps one file, and says in its change what it saw before; its reads are counted. */
function watched(whileReading: (name: string) => void | Promise<void> = slowly) {
  const reads: string[] = [];
  const module = defineModule({
    name: "watched",
    summary: "Keep one file.",
    params: z.strictObject({ name: z.string(), path: z.string(), value: z.string() }),
    async read(host, { name, path }) {
      reads.push(name);
      const now = (await host.readFile(path)) ?? "nothing";
      await whileReading(name);
      return { now };
    },
    *diff({ now }, { path, value }) {
      if (now !== value) yield writeFile(path, value, { say: `${now} → ${value}` });
    },
  });
  return { module, reads };
}

const ready = (files: Readonly<Record<string, string>>): FakeHost => {
  const host = new FakeHost();
  for (const [path, text] of Object.entries(files))
    host.files.write(path, Buffer.from(text), { user: "root" });
  return host;
};

describe("a node that waits for its turn", () => {
  test("is read meanwhile, together with all that wait; it starts in its turn", async () => {
    const acts = new Promises<Act>();
    const { module, log } = scripted((_, name) => acts.of(name));
    const started: string[] = [];
    const running = play(
      ({ step, nodes }) => {
        for (const name of ["a", "b", "c"]) step(name, { on: nodes, ensure: module({ name }) });
      },
      {
        ...one,
        clock: new VirtualClock({ auto: false }),
        hear: (event) => event.type === "node-started" && started.push(event.step),
      },
    );
    await settled();
    expect(log).toEqual(["begin a@h1", "begin b@h1", "begin c@h1"]);
    expect(started).toEqual(["a"]);
    for (const name of ["c", "b", "a"]) acts.keep(name, "ok");
    const { outcomes } = await running;
    expect(Object.keys(outcomes)).toEqual(["a @ h1", "b @ h1", "c @ h1"]);
    expect(log).toHaveLength(6);
  });

  test("is read again when something was changed on its host, though no edge says so", async () => {
    const { module, reads } = watched();
    const { of } = await play(({ step, nodes }) => {
      step("a", { on: nodes, ensure: module({ name: "a", path: "/etc/x", value: "1" }) });
      step("b", { on: nodes, ensure: module({ name: "b", path: "/etc/x", value: "2" }) });
    }, one);
    expect(of("change").map(({ change }) => change.say)).toEqual(["nothing → 1", "1 → 2"]);
    expect(reads.filter((name) => name === "b")).toHaveLength(3);
  });

  test("is not read ahead any more once something was changed on its host", async () => {
    const { module, reads } = watched();
    await play(({ step, nodes }) => {
      const a = step("a", { on: nodes, ensure: module({ name: "a", path: "/etc/x", value: "1" }) });
      const after = { on: nodes, after: [a] };
      for (const name of ["b", "c"])
        step(name, { ...after, ensure: module({ name, path: `/etc/${name}`, value: "1" }) });
    }, one);
    // Before and after their changes.
    expect(reads.filter((name) => name !== "a")).toEqual(["b", "b", "c", "c"]);
  });

  test("keeps what was seen of it when another host is changed", async () => {
    const { module, reads } = watched();
    const { recap } = await play(
      ({ step, nodes }) => {
        for (const name of ["a", "b"])
          step(name, { on: nodes, ensure: module({ name, path: `/etc/${name}`, value: "1" }) });
      },
      { hosts: { h1: ready({ "/etc/a": "1", "/etc/b": "1" }), h2: new FakeHost() } },
    );
    expect(recap).toMatchObject({ ok: 2, changed: 2 });
    // On h2: ahead once in vain, and each before and after its change.
    expect(reads).toHaveLength(2 + 1 + 4);
  });

  test("is read again when its look ahead failed: only its own look counts", async () => {
    const { module } = watched((name) => {
      if (name === "b" && broken) throw new PlaybookError("PB_COMMAND_FAILED", ["look", 1, "no"]);
      return slowly(name);
    });
    let broken = true;
    const { outcomes } = await play(
      ({ step, nodes }) => {
        for (const name of ["a", "b"])
          step(name, { on: nodes, ensure: module({ name, path: `/etc/${name}`, value: "1" }) });
      },
      {
        hosts: { h1: ready({ "/etc/a": "1", "/etc/b": "1" }) },
        hear: (event) => {
          if (event.type === "node-finished" && event.step === "a") broken = false;
        },
      },
    );
    expect(outcomes).toEqual({ "a @ h1": "ok", "b @ h1": "ok" });
  });

  test("is read again when what was seen of it is old", async () => {
    const clock = new VirtualClock({ auto: false });
    const slow = Promise.withResolvers<void>();
    const { module, reads } = watched((name) => (name === "a" ? slow.promise : undefined));
    const running = play(
      ({ step, nodes }) => {
        for (const name of ["a", "b"])
          step(name, { on: nodes, ensure: module({ name, path: `/etc/${name}`, value: "1" }) });
      },
      { hosts: { h1: ready({ "/etc/a": "1", "/etc/b": "1" }) }, clock },
    );
    await clock.advance(20_000);
    slow.resolve();
    expect((await running).recap.ok).toBe(2);
    expect(reads).toEqual(["a", "b", "b"]);
  });

  test("is read again over a new connection when the old one was lost", async () => {
    const host = ready({ "/etc/b": "1" });
    const { module, reads } = watched();
    const lost = defineModule({
      name: "lost",
      summary: "Lose the connection while others look.",
      params: noParams,
      async read({ readFile }) {
        await aMoment();
        host.loseAfter = 0;
        try {
          return { now: await readFile("/etc/b") };
        } finally {
          host.loseAfter = Number.POSITIVE_INFINITY;
        }
      },
      *diff() {},
    });
    const { outcomes } = await play(
      ({ step, nodes }) => {
        step("a", { on: nodes, ensure: lost({}) });
        step("b", { on: nodes, ensure: module({ name: "b", path: "/etc/b", value: "1" }) });
      },
      { hosts: { h1: host } },
    );
    expect(outcomes).toEqual({ "a @ h1": "failed", "b @ h1": "ok" });
    expect(reads).toEqual(["b", "b"]);
  });

  test("is not read at all where its `when` does not hold", async () => {
    const { module, reads } = watched();
    const { outcomes } = await play(({ step, nodes }) => {
      step("a", { on: nodes, ensure: module({ name: "a", path: "/etc/a", value: "nothing" }) });
      const b = module({ name: "b", path: "/etc/b", value: "nothing" });
      step("b", { on: nodes, when: ({ os }) => os.id === "plan9", ensure: b });
    }, one);
    expect(outcomes).toEqual({ "a @ h1": "ok", "b @ h1": "skipped" });
    expect(reads).toEqual(["a"]);
  });

  test("is read once in a check, whatever the others would change", async () => {
    const { module, reads } = watched();
    const { recap } = await play(
      ({ step, nodes }) => {
        for (const name of ["a", "b", "c"])
          step(name, { on: nodes, ensure: module({ name, path: `/etc/${name}`, value: "1" }) });
      },
      { ...one, mode: "check" },
    );
    expect(recap).toMatchObject({ wouldChange: 3 });
    expect(reads.toSorted()).toEqual(["a", "b", "c"]);
  });
});

test("a run that is cut does not wait for looks ahead that hang", async () => {
  const cut = new AbortController();
  const stop = new AbortController();
  const { module } = watched(() => new Promise<void>(() => undefined));
  const running = play(
    ({ step, nodes }) => {
      for (const name of ["a", "b"])
        step(name, { on: nodes, ensure: module({ name, path: `/etc/${name}`, value: "1" }) });
    },
    { ...one, clock: new VirtualClock({ auto: false }), cut: cut.signal, stop: stop.signal },
  );
  await settled();
  stop.abort();
  cut.abort();
  expect((await running).outcomes).toEqual({ "a @ h1": "failed", "b @ h1": "skipped" });
});

test("a host that has begun goes on before another one begins", async () => {
  const { module, log } = scripted(() => "ok");
  const { of } = await play(
    ({ step, nodes }) => {
      for (const name of ["a", "b"]) step(name, { on: nodes, ensure: module({ name }) });
    },
    { hosts: ["h1", "h2", "h3"], forks: 1 },
  );
  expect(of("node-started").map(({ step, host }) => `${step}@${host}`)).toEqual([
    "a@h1",
    "b@h1",
    "a@h2",
    "b@h2",
    "a@h3",
    "b@h3",
  ]);
  expect(log).toHaveLength(12);
});
