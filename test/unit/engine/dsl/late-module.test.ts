import { expect, test } from "vitest";
import { lateModule } from "#engine/dsl/late-module.ts";
import { setting } from "../../../support/settings.ts";

test("a module that is loaded late is loaded by its first use, and is then the module", () => {
  let loads = 0;
  const late = lateModule(() => {
    loads += 1;
    return setting;
  });
  expect(loads).toBe(0);
  expect(late({ value: "1" } as never)).toMatchObject({ kind: "action", module: setting.spec });
  expect(late.spec).toBe(setting.spec);
  expect(loads).toBe(2);
});
