import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { defineModule } from "#engine/dsl/module.ts";
import { secret } from "#engine/dsl/secret.ts";
import { modulePage } from "../../../docs/module-page.ts";
import { pages } from "../../../docs/pages.ts";

const docs = join(import.meta.dirname, "../../../docs");

test.each(Object.entries(pages()))(
  "docs/%s is what `npm run docs` would write",
  async (path, text) => {
    expect(await readFile(join(docs, path), "utf8")).toBe(text);
  },
);

test("a module's page tells type, default and meaning of every param, nested ones too", () => {
  const module = defineModule({
    name: "routes",
    summary: "Keep routes.",
    params: z.strictObject({
      routes: z.array(z.strictObject({ via: z.string().describe("gateway | peer") })),
      mtu: z.int().min(1280).max(9000).default(1500).describe("bytes"),
      mode: z.enum(["soft", "hard"]).optional(),
      key: secret(),
    }),
    outputs: z.object({ count: z.number().describe("how many there are") }),
    example: 'step("routes", { on: all, ensure: routes({ routes: [] }) });\n',
    read: async () => ({ count: 0 }),
    *diff() {},
  });
  expect(modulePage(module.spec)).toMatchSnapshot();
});
