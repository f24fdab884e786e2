import { globSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { catalog } from "#engine/errors/catalog.ts";
import { root } from "../../../support/cli.ts";

test("every code stands in one area of the catalogue only", async () => {
  const areas = globSync(join(root, "engine/errors/catalog/*.ts"));
  const codes = await Promise.all(
    areas.map(async (area) => {
      const exported: Record<string, object> = await import(area);
      return Object.values(exported).flatMap(Object.keys);
    }),
  );
  expect(codes.flat().sort()).toEqual(Object.keys(catalog).sort());
});

test("every hint is a sentence that says what to do", () => {
  const odd = Object.entries(catalog).filter(([, { hint }]) => !/ .+[.…]$/.test(hint));
  expect(odd).toEqual([]);
});
