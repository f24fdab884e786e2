import { describe, expect, it } from "vitest";
import { hostFor } from "#engine/converge/host.ts";
import type { Manner, Reached } from "#engine/converge/reached.ts";
import { FakeHost } from "#engine/host/fake/host.ts";
import { fakeTransport } from "#engine/host/fake/transport.ts";
import type { Facts, Question } from "#engine/host/host.ts";

const colour: Question = {
  name: "colour",
  command: (things) => ({ argv: ["colour-of", ...things] }),
  split: (stdout) => stdout.trimEnd().split("\n\n"),
};

/** A host that knows the colours of things, seen by a step: each step has a view of its own. */
async function host(answer = (things: readonly string[]) => things.map((it) => `${it} is red\n`)) {
  const fake = new FakeHost().programs({
    "colour-of": ({ args }) => {
      if (args.includes("air")) return { code: 1, stderr: "air has none\n" };
      return answer(args).join("\n");
    },
  });
  const connection = await fakeTransport({ h1: fake }).connect({ name: "h1", address: "h1" });
  const reached: Reached = {
    name: "h1",
    facts: {} as Facts,
    connection,
    address: undefined,
    reconnect: async () => connection,
  };
  const seen = (manner: Partial<Manner> = {}) =>
    hostFor(reached, {
      as: "root",
      env: {},
      left: () => 60_000,
      signal: new AbortController().signal,
      ...manner,
    });
  return { seen, asked: () => fake.ran.map(({ argv }) => argv.slice(1).join(" ")) };
}

describe("a question", () => {
  it("that several steps ask in one tick is asked once, each thing once", async () => {
    const { seen, asked } = await host();
    const answers = await Promise.all(
      ["rose", "sky", "rose"].map((thing) => seen().ask(colour, thing)),
    );
    expect(answers).toEqual(["rose is red", "sky is red", "rose is red"]);
    expect(asked()).toEqual(["rose sky"]);
  });

  it("that nobody else asks is asked alone", async () => {
    const { seen, asked } = await host();
    expect(await seen().ask(colour, "rose")).toBe("rose is red");
    expect(await seen().ask(colour, "sky")).toBe("sky is red");
    expect(asked()).toEqual(["rose", "sky"]);
  });

  it("is not put together with that of another user or environment", async () => {
    const { seen, asked } = await host();
    await Promise.all([
      seen().ask(colour, "rose"),
      seen({ as: "nobody" }).ask(colour, "sky"),
      seen({ env: { LIGHT: "off" } }).ask(colour, "sea"),
    ]);
    expect(asked()).toEqual(["rose", "sky", "sea"]);
  });

  it("that fails for one is asked again for each, so that only that one fails", async () => {
    const { seen } = await host();
    const [rose, air] = await Promise.allSettled(
      ["rose", "air"].map((thing) => seen().ask(colour, thing)),
    );
    expect(rose).toMatchObject({ value: "rose is red" });
    expect(air).toMatchObject({ reason: { code: "PB_COMMAND_FAILED" } });
  });

  it("whose answers cannot be told apart is asked again for each", async () => {
    const { seen, asked } = await host((things) =>
      things.length > 1 ? ["all is red\n"] : things.map((it) => `${it} is red\n`),
    );
    const answers = await Promise.all(["rose", "sky"].map((thing) => seen().ask(colour, thing)));
    expect(answers).toEqual(["rose is red", "sky is red"]);
    expect(asked()).toEqual(["rose sky", "rose", "sky"]);
  });
});
