import { userInfo } from "node:os";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { applyChange } from "#engine/converge/apply.ts";
import { hostFor } from "#engine/converge/host.ts";
import type { Applying } from "#engine/converge/reached.ts";
import type { ModuleSpec } from "#engine/dsl/module.ts";
import * as use from "#modules/index.ts";
import { realClock } from "../../support/real-clock.ts";
import { ThisMachine } from "../../support/this-machine.ts";

let machine: ThisMachine;
beforeAll(async () => {
  machine = await ThisMachine.open();
});
afterAll(() => machine[Symbol.asyncDispose]());

const me = userInfo().username;
const manner = { as: me, env: {}, left: () => 20_000, signal: new AbortController().signal };

/** Makes all that a module wants, and says what it still wants then. */
async function twice(spec: ModuleSpec, params: unknown): Promise<number> {
  const want = spec.params.parse(params);
  const applying: Applying = {
    on: machine.reached,
    manner,
    clock: realClock,
    doubt: () => undefined,
  };
  const host = hostFor(machine.reached, manner);
  for (const change of spec.diff(await spec.read(host, want), want))
    await applyChange(change, applying);
  return [...spec.diff(await spec.read(host, want), want)].length;
}

const CONTROLS = Array.from({ length: 0xa0 }, (_, code) => String.fromCharCode(code)).join("");
const STRANGE = `${CONTROLS}\u2028\u2029\ufeff\ufffd\u202e\x1b[31m\r\n\n\n{{not}} 'a' "b" $(c) \`d\` \\n é😀`;

describe("a file holds what was given, whatever it is", () => {
  const settings = { mode: 0o644, owner: me, group: me };
  test.each([
    ["every control character", STRANGE],
    ["nothing", ""],
    ["no line end", "a"],
    ["line ends only", "\n\n\r\n"],
  ])("%s", async (_, content) => {
    const path = machine.path("file");
    expect(await twice(use.file.spec, { ...settings, path, content })).toBe(0);
    expect(await machine.reached.connection.readFile(path)).toEqual(Buffer.from(content));
  });

  test("as a template's value", async () => {
    const path = machine.path("rendered");
    const want = { ...settings, path, text: "a {{value}} b", values: { value: STRANGE } };
    expect(await twice(use.template.spec, want)).toBe(0);
    const written = await machine.reached.connection.readFile(path);
    expect(written).toEqual(Buffer.from(`a ${STRANGE} b`));
  });

  test("any bytes, and any text", async () => {
    const path = machine.path("any");
    const { connection } = machine.reached;
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        await connection.writeFile(path, bytes);
        expect(await connection.readFile(path)).toEqual(Buffer.from(bytes));
      }),
      { seed: 2026, numRuns: 60 },
    );
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary", maxLength: 60 }), async (content) => {
        expect(await twice(use.file.spec, { ...settings, path, content })).toBe(0);
      }),
      { seed: 2026, numRuns: 30 },
    );
  });

  test("half a character is refused: it would never converge", () => {
    for (const params of [
      { path: "/a", content: "\ud800" },
      { path: "/a", content: "a\udc00b" },
    ])
      expect(use.file.spec.params.safeParse(params).success).toBe(false);
  });
});
