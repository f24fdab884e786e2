/** Faults that people reported of tools like this one, rebuilt on a real host: test/field has a file for each. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Action } from "#engine/dsl/module.ts";
import { isPlaybookError } from "#engine/index.ts";
import { openLab } from "#lab/lab.ts";
import type { LabView } from "#lab/view.ts";
import * as modules from "#modules/index.ts";
import { type FieldCase, fieldCases } from "../support/field-case.ts";
import { ensureOn } from "../support/lab-play.ts";

const lab = openLab("field");
let view: LabView;

const cases = fieldCases();
const rebooted = cases.filter(({ reboot }) => reboot);

beforeAll(async () => {
  await lab.down();
  view = await lab.up({ hosts: ["w1"], disk: "3G", bare: true, yes: true });
});
afterAll(async () => {
  await lab.down();
});

describe("as reported", () => {
  it.each(cases)("$name", async (one) => {
    if (one.before !== undefined) await sh(one.before);
    const first = await ensure(one.module, one.params);
    expect(first.outcome, first.text).toBe(one.first);
    for (const part of one.says) expect(first.text).toContain(part);
    await expectHolds(one);
    if (!one.reboot) await cleanUp(one);
  });
});

describe("after a power cut", () => {
  beforeAll(async () => {
    await lab.kill("w1");
    await lab.start("w1");
  });

  it.each(rebooted)("$name", async (one) => {
    await expectHolds(one);
    await cleanUp(one);
  });
});

/** Cases share the host: one must not meet what another left. */
async function cleanUp({ after }: FieldCase): Promise<void> {
  if (after !== undefined) await sh(after);
}

/** The host is as wanted, and no run of the same meaning finds anything to change. */
async function expectHolds(one: FieldCase): Promise<void> {
  if (one.holds !== undefined) await sh(one.holds);
  const again = one.first === "changed" ? "ok" : one.first;
  for (const params of [one.params, ...one.spellings]) {
    const { outcome, text } = await ensure(one.module, params);
    expect(outcome, `${JSON.stringify(params)}: ${text}`).toBe(again);
  }
}

/** One run of one module: how it ended, and what it said. */
async function ensure(module: string, params: FieldCase["params"]) {
  try {
    const { recap, changes, errors } = await ensureOn(view, "w1", actionOf(module, params));
    const [error] = errors;
    if (error === undefined)
      return { outcome: recap.changed > 0 ? "changed" : "ok", text: changes.join("\n") };
    const { code, message, hint = "", state = "", output = [] } = error;
    return { outcome: code, text: [message, hint, state, ...output].join("\n") };
  } catch (error) {
    if (!isPlaybookError(error)) throw error;
    return { outcome: error.code, text: [error.message, error.hint ?? ""].join("\n") };
  }
}

function actionOf(name: string, params: FieldCase["params"]): Action {
  const found = Object.values(modules).find(
    (value) => typeof value === "function" && "spec" in value && value.spec.name === name,
  );
  if (found === undefined) throw new Error(`modules/index.ts exports no "${name}"`);
  return (found as unknown as (params: unknown) => Action)(params);
}

async function sh(text: string): Promise<void> {
  const { code, stdout, stderr } = await lab.exec("w1", ["sh", "-ec", text]);
  expect(code, `${text}\n${stdout}${stderr}`).toBe(0);
}
