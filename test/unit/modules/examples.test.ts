import { describe, expect, test } from "vitest";
import { fieldsOf } from "#engine/cli/schema-fields.ts";
import type { Action, Condition } from "#engine/dsl/module.ts";
import { Ref, refsIn } from "#engine/dsl/ref.ts";
import * as engine from "#engine/index.ts";
import * as modules from "#modules/index.ts";
import * as kubernetes from "#modules/kubernetes.ts";
import { specsOf } from "../../support/cases.ts";

const isAction = (made: Action | Condition): made is Action => made.kind === "action";

/** A step of the reader's own, as examples name it: every output of it is a ref. */
const someStep = (step: string) => {
  const outputs = new Proxy(
    {},
    {
      get: (_, field): unknown =>
        field === "each" || field === "all"
          ? outputs
          : new Ref({ kind: "output", step, field: String(field), scope: "one" }),
    },
  );
  return { out: outputs };
};

/** An example as a reader would run it, where names that it does not explain are steps of the reader's own. */
function evaluate(example: string): Action | Condition {
  const scope = new Proxy<Record<string, unknown>>(
    { ...engine, use: modules },
    {
      has: (_, name) => typeof name === "string",
      get: (known, name) =>
        name === Symbol.unscopables ? undefined : (known[String(name)] ?? someStep(String(name))),
    },
  );
  // Our own text, from the same repository.
  return new Function("scope", `with (scope) { return (${example}\n); }`)(scope);
}

describe("a module's page", () => {
  const specs = [...specsOf(modules).values()];

  test.each(specs)("$name has an example that its params accept", (spec) => {
    expect(spec.example, "an example").toBeDefined();
    const made = evaluate(spec.example ?? "");
    expect(isAction(made) ? made.module.name : made.probe.name).toBe(spec.name);
    if (refsIn(made.params).length === 0)
      expect(spec.params.safeParse(made.params)).toMatchObject({ success: true });
  });

  const ofKubernetes = specsOf(kubernetes);
  test.each(specs.filter(({ name }) => !ofKubernetes.has(name)))(
    "$name describes every param",
    (spec) => {
      const silent = fieldsOf(spec.params).filter(({ description }) => description === "");
      expect(silent.map(({ path }) => path)).toEqual([]);
    },
  );
});
