import { inspect } from "node:util";
import { expect, test } from "vitest";
import { redact, Secret, secret, secretText } from "#engine/dsl/secret.ts";

test("a secret shows itself in no printed form", () => {
  const token = new Secret("abcdef.0123456789abcdef");
  const shown = [String(token), `${token}`, JSON.stringify({ token }), inspect({ token })];
  for (const text of shown) expect(text).not.toContain("0123456789");
  expect(token.reveal()).toBe("abcdef.0123456789abcdef");
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

test("each long line of a secret with several lines is masked, its structure is not", () => {
  new Secret("kind: Config\nclient-key-data: c2VjcmV0LWtleS1tYXRlcmlhbA==\n");
  const printed = redact("kind: Config\nclient-key-data: c2VjcmV0LWtleS1tYXRlcmlhbA==");
  expect(printed).toBe("kind: Config\n[secret]");
});

test("very short values are left alone, since masking them would destroy all text", () => {
  new Secret("a");
  expect(redact("a banana")).toBe("a banana");
});

test("text with a secret inside is a secret", () => {
  const line = secretText`password = ${new Secret("correct horse")}\n`;
  expect(String(line)).toBe("[secret]");
  expect(line.reveal()).toBe("password = correct horse\n");
});

test("a schema wraps plain strings and passes secrets through", () => {
  const given = new Secret("tr0ub4dor");
  expect(secret().parse(given)).toBe(given);
  expect(secret().parse("battery staple").reveal()).toBe("battery staple");
});
