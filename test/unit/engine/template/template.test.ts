import { describe, expect, test } from "vitest";
import { isSecret, Secret } from "#engine/dsl/secret.ts";
import { compileTemplate } from "#engine/template/template.ts";

const render = (text: string, values: Record<string, unknown> = {}) =>
  compileTemplate("unit.hbs", text)(values);

describe("template", () => {
  test("prints values as they are", () => {
    expect(render("[{{a}}] {{b.c}}\n", { a: `<&"'>`, b: { c: 0 } })).toBe(`[<&"'>] 0\n`);
  });

  test.each([
    ["a\n{{b}}", "unit.hbs, line 2: the variable b is not given."],
    ["\n\n{{a.b}}", "unit.hbs, line 3: the variable b is not given."],
    ["{{#each list}}\n{{b}}{{/each}}", "unit.hbs, line 2: the variable b is not given."],
    ["\n{{#if b}}x{{/if}}", "unit.hbs, line 2: what {{#if}} looks at is not given."],
    ["\n{{#unless a.b}}x{{/unless}}", "unit.hbs, line 2: what {{#unless}} looks at is not given."],
    ["{{#each b}}x{{/each}}", "unit.hbs, line 1: what {{#each}} looks at is not given."],
    ["{{#with b}}x{{/with}}", "unit.hbs, line 1: what {{#with}} looks at is not given."],
    ["{{constructor}}", "unit.hbs, line 1: the variable constructor is not given."],
    ["\n{{eq a 1}}", "unit.hbs, line 2: the variable eq is not given."],
    ["a\n{{#if", "unit.hbs, line 2: does not parse: a{{#if."],
  ])("%j with something missing is an error that names it", (text, message) => {
    expect(() => render(text, { a: {}, list: [{ a: 1 }] })).toThrow(
      expect.objectContaining({ code: "PB_TEMPLATE", message }),
    );
  });

  test.each([
    ["a\n{{a}}", { a: { b: 1 } }],
    ["a\n{{#each a}}{{this}}{{/each}}", { a: [{ b: 1 }] }],
    ["a\n{{a}}", { a: [{ b: 1 }] }],
    ["a\n{{a.b}}", { a: { b: new Map([["c", 1]]) } }],
  ])("%j with %j: an object has no text, and no words in place of one", (text, values) => {
    const why = expect.stringMatching(/^unit.hbs, line 2: [ab] is no text but an object\.$/);
    expect(() => render(text, values)).toThrow(
      expect.objectContaining({ code: "PB_TEMPLATE", message: why }),
    );
  });

  test("null is given: the way to say none", () => {
    expect(render("{{#if a}}x{{else}}y{{/if}}", { a: null })).toBe("y");
  });

  test("blocks see their item, the index and what is around", () => {
    const text = "{{#each list}}{{@index}}{{this}}{{../z}} {{/each}}{{#with b}}{{c}}{{/with}}";
    expect(render(text, { list: ["a", "b"], z: "!", b: { c: 1 } })).toBe("0a! 1b! 1");
  });

  test("text with a secret in it is a secret", () => {
    const text = render("token = {{a.token}}\n", { a: { token: new Secret("s3cr3t") } });
    expect(isSecret(text) && text.reveal()).toBe("token = s3cr3t\n");
  });
});
