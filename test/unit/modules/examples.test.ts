import { describe, expect, test } from "vitest";
import type { Action, Condition } from "#engine/dsl/module.ts";
import { refsIn } from "#engine/dsl/ref.ts";
import * as modules from "#modules/index.ts";
import { specsOf } from "../../support/cases.ts";

const isAction = (made: Action | Condition): made is Action => made.kind === "action";

describe("a module's page", () => {
  test.each([...specsOf(modules).values()])(
    "$name has an example that its params accept",
    (spec) => {
      expect(spec.example, "an example").toBeDefined();
      // Our own text, from the same repository: the only way to run an example as a reader would.
      const evaluate = new Function("use", `return ${spec.example}`);
      const made = evaluate(modules) as Action | Condition;
      expect(isAction(made) ? made.module.name : made.probe.name).toBe(spec.name);
      if (refsIn(made.params).length === 0)
        expect(spec.params.safeParse(made.params)).toMatchObject({ success: true });
    },
  );

  test.each([...specsOf(modules).values()])("$name describes every param", (spec) => {
    const silent = Object.entries(spec.params.shape)
      .filter(([, schema]) => schema.description === undefined)
      .map(([name]) => name);
    expect(silent).toEqual([]);
  });
});
