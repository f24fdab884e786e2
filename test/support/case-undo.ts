import { expect } from "vitest";
import { fromText, toText } from "#engine/converge/kept-text.ts";
import type { ModuleSpec } from "#engine/dsl/module.ts";
import { describeChange, expectChanges } from "./case-changes.ts";
import type { Case, HostState } from "./case-file.ts";
import { caseHost, hostAfter } from "./case-host.ts";

type Found = Parameters<ModuleSpec["diff"]>[0];
type Want = Parameters<ModuleSpec["diff"]>[1];

/** From the host that `then` describes back to the first one: its files are as they were, and nothing is left. */
export async function expectWayBack(spec: ModuleSpec, one: Case): Promise<void> {
  if (spec.undo === undefined) return;
  const want = spec.params.parse(one.params);
  const read = async (state: HostState) => (await spec.read(caseHost(state), want)) as Found;
  const found = await read(one.host);
  // It is kept on the host until it is needed: whatever JSON cannot say is lost.
  const before: Found = fromText(toText(found)) as Found;
  if (typeof one.undo === "string") {
    expect(() => back(spec, [before, before], want)).toThrow(
      expect.objectContaining({ code: one.undo }),
    );
    return;
  }
  if (one.then === undefined) return;
  const second = hostAfter(one.host, spec.diff(found, want), one.then);
  const changes = back(spec, [before, await read(second)], want);
  if (one.undo !== undefined) expectChanges(changes, one.undo);
  for (const { say } of changes) expect(say, "every change says what it does").not.toBe("");
  const { files = {} } = one.back ?? {};
  const third = hostAfter(second, changes, { facts: {}, files, commands: [] });
  expect(filesOf(third), "files after the way back").toEqual(filesOf(one.host));
  const again = await read({ ...third, commands: one.host.commands });
  const left = back(spec, [before, again], want).map(describeChange);
  // A process that was older than its files then is made younger now, as ever.
  const expected = left.filter(({ say }) => !/older than its files|after it was started/.test(say));
  expect(expected, "changes left after the way back").toEqual([]);
}

const back = (spec: ModuleSpec, [before, now]: readonly [Found, Found], want: Want) => [
  ...(spec.undo?.(before, now, want) ?? []),
];

/** Files in one spelling, without folders that hold some anyway, what is in memory only, and our own records. */
function filesOf({ files }: HostState) {
  const paths = Object.keys(files);
  const said = Object.entries(files).map(([path, entry]) => {
    const given = typeof entry === "string" ? { content: entry } : entry;
    const { kind = "file", owner = "root" } = given;
    const mode = kind === "directory" ? 0o755 : 0o644;
    return [path, { kind, mode, owner, group: owner, ...given }] as const;
  });
  const holds = (folder: string) => paths.some((path) => path.startsWith(`${folder}/`));
  const ours = /^\/(run|var\/lib\/run-playbook)\//;
  return Object.fromEntries(said.filter(([path]) => !holds(path) && !ours.test(path)));
}
