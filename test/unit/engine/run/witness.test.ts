import { describe, expect, it } from "vitest";
import type { PlanNode } from "#engine/plan/plan.ts";
import type { Witness } from "#engine/run/witness.ts";
import { type Declare, play } from "../../../support/play.ts";
import { scripted } from "../../../support/scripted.ts";
import { setting } from "../../../support/settings.ts";

const { module: kernel } = scripted((_, name) => (name === "change" ? "change" : "ok"));

const declare: Declare = ({ step, host }) => {
  const on = host("h1");
  const asWanted = step("as wanted", { on, ensure: kernel({ name: "ok" }) });
  step("differs", { on, ensure: kernel({ name: "change" }), after: [asWanted] });
};

/** A witness that writes down what it hears, and refuses where the test says so. */
function listener(refuse: (said: string) => void = () => undefined) {
  const heard: string[] = [];
  const say = (what: string, { step }: PlanNode) => {
    heard.push(`${what} ${step.label}`);
    refuse(`${what} ${step.label}`);
  };
  const witness: Witness = {
    found: async (node, { changes }) => say(`found ${changes.length} on`, node),
    changing: async (node, index) => say(`changing ${index} of`, node),
    changed: async (node, index) => say(`changed ${index} of`, node),
    ended: (node, { outcome }) => say(`${outcome}`, node),
  };
  return { heard, witness };
}

describe("a witness", () => {
  it("hears of each node: what was found, each change before and after, and how it ended", async () => {
    const { heard, witness } = listener();
    await play(declare, { witnesses: [witness] });
    expect(heard).toEqual([
      "found 0 on as wanted",
      "ok as wanted",
      "found 1 on differs",
      "changing 0 of differs",
      "changed 0 of differs",
      "changed differs",
    ]);
  });

  it("under --check hears what was found and nothing of changes", async () => {
    const { heard, witness } = listener();
    const { module } = scripted();
    await play(({ step, host }) => step("differs", { on: host("h1"), ensure: module({}) }), {
      witnesses: [witness],
      mode: "check",
    });
    expect(heard).toEqual(["found 1 on differs", "would-change differs"]);
  });

  it("that refuses before the first connection ends the run there", async () => {
    const { module, begun } = scripted();
    const events: unknown[] = [];
    await expect(
      play(({ step, host }) => step("differs", { on: host("h1"), ensure: module({}) }), {
        witnesses: [{ begins: () => Promise.reject(new Error("not this plan")) }],
        hear: (event) => events.push(event),
      }),
    ).rejects.toThrow("not this plan");
    expect([begun(), events]).toEqual([[], []]);
  });

  it("that looks first hears of every node before anything is changed, and nobody else hears of that", async () => {
    const { heard, witness } = listener();
    const first = listener();
    const played = await play(
      ({ step, host }) => {
        const one = step("one", { on: host("h1"), ensure: setting({ value: "1" }) });
        step("two", { on: host("h1"), after: [one], ensure: setting({ name: "b", value: "2" }) });
      },
      {
        lookFirst: {
          ...first.witness,
          ended: (node, ended) => {
            heard.push("looked");
            first.witness.ended?.(node, ended);
          },
        },
        witnesses: [witness],
      },
    );
    expect(first.heard.slice(0, 2)).toEqual(["found 1 on one", "would-change one"]);
    expect(heard.slice(0, 3)).toEqual(["looked", "looked", "found 1 on one"]);
    expect(Object.values(played.outcomes)).toEqual(["changed", "changed"]);
    expect(played.of("node-finished")).toHaveLength(2);
  });

  it("that refuses a change fails the node before anything is changed, and later ones are not asked", async () => {
    const refusing = listener((said) => {
      if (said.startsWith("changing")) throw new Error("the disk is full");
    });
    const second = listener();
    const { module } = scripted();
    const played = await play(
      ({ step, host }) => step("differs", { on: host("h1"), ensure: module({}) }),
      { witnesses: [refusing.witness, second.witness] },
    );
    expect(played.end("differs").error?.message).toBe("the disk is full");
    expect(played.of("change")).toEqual([]);
    expect(second.heard).toEqual(["found 1 on differs", "failed differs"]);
  });
});
