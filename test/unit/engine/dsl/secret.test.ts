import { inspect } from "node:util";
import fc from "fast-check";
import Handlebars from "handlebars";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { redact, redactedEnd } from "#engine/dsl/masking.ts";
import { isSecret, jsonText, Secret, secret, secretText } from "#engine/dsl/secret.ts";

test("a secret is never turned into text, so that no placeholder goes to a host in its place", () => {
  const token = new Secret("abcdef.0123456789abcdef");
  const ways: Record<string, () => unknown> = {
    String: () => String(token),
    "a template literal": () => `${token}`,
    "a sum": () => "".concat(token as unknown as string),
    "a list that is joined": () => [token].join(),
    "a key": () => ({ [token as unknown as string]: 1 }),
    JSON: () => JSON.stringify({ nested: [{ token }] }),
    YAML: () => stringify({ nested: [{ token }] }),
    handlebars: () => Handlebars.compile("{{token}}", { noEscape: true })({ token }),
  };
  for (const [way, turn] of Object.entries(ways))
    expect(turn, way).toThrow(expect.objectContaining({ code: "PB_SECRET_MISUSED" }));
  expect(inspect({ token })).toBe("{ token: [secret] }");
  expect(token.reveal()).toBe("abcdef.0123456789abcdef");
});

test("JSON with a secret inside is a secret as a whole, JSON without is text", () => {
  const text = jsonText({ a: [{ password: new Secret('it"s') }], b: 1 });
  expect(isSecret(text) && JSON.parse(text.reveal())).toEqual({ a: [{ password: 'it"s' }], b: 1 });
  expect(jsonText({ a: [1] })).toBe('{"a":[1]}');
});

test("output that repeats a secret is masked", () => {
  new Secret("hunter2-hunter2");
  expect(redact("login with hunter2-hunter2 failed")).toBe("login with [secret] failed");
});

test("so is output that quotes, encodes or wraps it", () => {
  const value = 'p4ss\\word "with" é';
  new Secret(value);
  new Secret("p4ss");
  const printed = [
    JSON.stringify({ value }),
    `https://example.net/?key=${encodeURIComponent(value)}`,
    `data: ${Buffer.from(value).toString("base64")}`,
    `<${value}>`,
  ];
  expect(printed.map(redact)).toEqual([
    '{"value":"[secret]"}',
    "https://example.net/?key=[secret]",
    "data: [secret]",
    "<[secret]>",
  ]);
});

function thrownBy(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return String(error);
  }
  return "";
}

test("text that was to be JSON is not quoted, as it may hold one that nobody knows", () => {
  for (const text of ["hunter3", '{"token": hunter3, "a": 1}', "[1,\nhunter3 and more]"]) {
    const said = thrownBy(() => JSON.parse(text));
    expect(said).toContain("not valid JSON");
    expect(redact(`${said}; again: ${said}`)).not.toContain("hunter3");
  }
});

test("each line of a secret with several lines is masked, however short; what frames it is not", () => {
  new Secret("users:\n- pin: 471182\n-----BEGIN EC KEY-----\nc2VjcmV0\n-----END EC KEY-----\n");
  expect(redact("users: as in -----BEGIN EC KEY-----")).toBe("users: as in -----BEGIN EC KEY-----");
  expect(redact("got c2VjcmV0 and - pin: 471182")).toBe("got [secret] and [secret]");
});

const printedForms: Record<string, (value: string) => string> = {
  "as it is": (value) => value,
  "quoted for a shell": (value) => `'${value.replaceAll("'", "'\\''")}'`,
  "in double quotes of a shell": (value) => `"${value.replace(/["$`\\]/g, "\\$&")}"`,
  "in JSON": (value) => JSON.stringify({ value }),
  "in JSON in JSON": (value) => JSON.stringify({ text: JSON.stringify({ value }) }),
  "in YAML": (value) => stringify({ value }, { singleQuote: true, lineWidth: 0 }),
  "in a URL": (value) => `https://h/?q=${encodeURIComponent(value)}`,
  "in a form": (value) => new URLSearchParams({ value }).toString(),
  "in hexadecimal": (value) => Buffer.from(value).toString("hex"),
  "in base64": (value) => Buffer.from(value).toString("base64"),
  "in base64 after one byte": (value) => Buffer.from(`x${value}y`).toString("base64"),
  "in base64 after two": (value) => Buffer.from(`xx${value}`).toString("base64"),
  "in base64 for URLs": (value) => Buffer.from(`user:${value}`).toString("base64url"),
};

test.each(Object.entries(printedForms))("a secret is masked %s", (_, print) => {
  const value = fc.string({ minLength: 12, maxLength: 40, unit: "grapheme-ascii" });
  fc.assert(
    fc.property(
      value.filter((text) => text === text.trim() && /^[!-~ ]*$/.test(text)),
      (text) => {
        new Secret(text);
        const masked = redact(print(text));
        expect(masked).toContain("[secret]");
        expect(masked).not.toContain(print(text).slice(4, -4));
      },
    ),
    { numRuns: 200 },
  );
});

test("what is left of a stream's end is masked wherever it came in pieces or was cut", () => {
  const value = "s3cr3t-in-pieces-0123456789";
  new Secret(value);
  const stream = `before ${value} after`;
  for (let at = 1; at < stream.length; at += 1)
    for (const most of [5, 12, 30, 100]) {
      const first = redactedEnd("", stream.slice(0, at), 100);
      const end = redactedEnd(first, stream.slice(at), most);
      for (let part = 0; part + 6 <= value.length; part += 1)
        expect(end).not.toContain(value.slice(part, part + 6));
    }
});

test("very short values are left alone, since masking them would destroy all text", () => {
  new Secret("a");
  expect(redact("a banana")).toBe("a banana");
});

test("text with a secret inside is a secret", () => {
  const line = secretText`password = ${new Secret("correct horse")}\n`;
  expect(isSecret(line)).toBe(true);
  expect(line.reveal()).toBe("password = correct horse\n");
});

test("a schema wraps plain strings and passes secrets through", () => {
  const given = new Secret("tr0ub4dor");
  expect(secret().parse(given)).toBe(given);
  expect(secret().parse("battery staple").reveal()).toBe("battery staple");
});
