/** For each module: random params, then the same in other spellings, then after a power cut: nothing to change. */
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Action } from "#engine/dsl/module.ts";
import { openLab } from "#lab/lab.ts";
import type { LabView } from "#lab/view.ts";
import { ensureOn } from "../support/lab-play.ts";
import { spelledParams } from "../support/spelled-params.ts";

const lab = openLab("spell");
let view: LabView;
/** What each module was told last, in spellings that the host has not seen yet. */
const last = new Map<string, Action>();
let tried = 0;

const ROUNDS = 5;
const seed = Date.now() % 1_000_000;

beforeAll(async () => {
  await lab.down();
  view = await lab.up({ hosts: ["w1"], disk: "2G", bare: true, yes: true });
});
afterAll(async () => {
  process.stderr.write(
    `# random params applied to a host, each in two spellings: ${tried}, seed ${seed}\n`,
  );
  await lab.down();
});

it.each(Object.entries(spelledParams))(
  "%s: what means the same changes nothing",
  async (module, wishes) => {
    for (const [wanted, again] of fc.sample(wishes(view), { seed, numRuns: ROUNDS })) {
      expect((await ensureOn(view, "w1", wanted)).errors).toEqual([]);
      await expectNothing(wanted);
      await expectNothing(again);
      last.set(module, again);
      tried += 1;
    }
  },
);

it("after a power cut all of it still holds", async () => {
  await lab.kill("w1");
  await lab.start("w1");
  for (const action of last.values()) await expectNothing(action);
  expect([...last.keys()]).toEqual(Object.keys(spelledParams));
});

async function expectNothing(action: Action): Promise<void> {
  const { recap, changes, errors } = await ensureOn(view, "w1", action);
  const { module, params } = action;
  const said = `seed ${seed}: ${module.name} ${JSON.stringify(params)}`;
  expect({ changes, errors, changed: recap.changed }, said).toEqual({
    changes: [],
    errors: [],
    changed: 0,
  });
}
