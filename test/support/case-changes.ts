import { expect } from "vitest";
import type { Change } from "#engine/index.ts";
import type { Case } from "./case-file.ts";
import { asText, describeCommand } from "./case-host.ts";

/** Compares changes with what a case states: complete, in order, of each only what is given. */
export function expectChanges(
  changes: readonly Change[],
  expected: NonNullable<Case["changes"]>,
): void {
  const shown = changes.map(describeChange);
  const summary = shown.map(({ op, say }) => `${op}: ${say}`);
  expect(summary, "one line per change").toHaveLength(expected.length);
  for (const [index, change] of expected.entries()) expect(shown[index]).toMatchObject(change);
  for (const { say } of changes) expect(say, "every change says what it does").not.toBe("");
}

/** A change in the flat form of case files. */
export function describeChange(
  change: Change,
): Record<string, unknown> & { op: string; say: string } {
  if (change.op === "run") {
    const { command, ...rest } = change;
    return { ...rest, ...describeCommand(command) };
  }
  if (change.op === "write") {
    const { attributes, content, was, ...rest } = change;
    return { ...rest, ...attributes, content: asText(content), was: was ?? null };
  }
  if (change.op === "guarded") {
    const { files, apply, verify, ...rest } = change;
    return {
      ...rest,
      files: files.map(describeChange),
      apply: describeCommand(apply),
      verify: verify.map(describeCommand),
    };
  }
  if (!("attributes" in change)) return { ...change };
  const { attributes, ...rest } = change;
  return { ...rest, ...attributes };
}
