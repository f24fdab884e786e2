import type { Inventory } from "../dsl/inventory.ts";
import { redact } from "../dsl/masking.ts";
import type { Action, Condition } from "../dsl/module.ts";
import type { Playbook } from "../dsl/playbook.ts";
import type { SecretSource } from "../dsl/ref.ts";
import { holdsSecret } from "../dsl/secret.ts";
import type { KeyedHash } from "../keyed-hash/keyed-hash.ts";
import type { Plan, PlanNode } from "../plan/plan.ts";
import { parsePlaybookParams } from "../plan/playbook-params.ts";
import type { Secrets } from "../plan/secrets.ts";
import type { PlanFile } from "./schema.ts";

/** What the operator calls for: as the command line says it, files by the names that it gives. */
export interface Call {
  readonly engine: string;
  /** The playbook's file as it was named. */
  readonly file: string;
  readonly playbook: Playbook;
  /** The inventory's file as it was named; undefined for the playbook's own. */
  readonly inventoryFile: string | undefined;
  readonly inventory: Inventory;
  /** Text of `--param name=value`. */
  readonly params: Readonly<Record<string, string>>;
  readonly limit: readonly string[] | undefined;
  readonly only: readonly string[] | undefined;
}

/** The part of a plan file that is known before any connection, but for the secrets that are read last. */
export type Declared = Pick<
  PlanFile,
  "engine" | "playbook" | "limit" | "only" | "params" | "hosts" | "site"
> & { readonly steps: Readonly<Record<string, string>> };

/** What a call declares, in the form in which a plan file keeps it. */
export function declaredBy(call: Call, plan: Plan, digests: KeyedHash): Declared {
  const { engine, file, playbook, inventory, limit, only } = call;
  const nodes = Map.groupBy(plan.nodes, ({ step }) => step.label);
  return {
    engine,
    playbook: { file, name: playbook.name },
    ...(limit === undefined ? {} : { limit: [...limit] }),
    ...(only === undefined ? {} : { only: [...only] }),
    params: keptParams(call, digests),
    steps: Object.fromEntries(
      plan.steps.map((step) => [step.label, digests.of(stepData(step, nodes.get(step.label)))]),
    ),
    hosts: Object.fromEntries(
      Object.entries(inventory.hosts).map(([name, host]) => [name, digests.of(host)]),
    ),
    site: digests.of([inventory.groups, inventory.settings]),
  };
}

// Its place in the file is no part of a step, and `ensure` and `until` are told by what they gave for each host.
function stepData(step: PlanNode["step"], nodes: readonly PlanNode[] = []): unknown {
  const { at: _, ...rest } = step;
  return [
    { ...rest, ensure: undefined, until: undefined },
    nodes.map(({ host, actsOn, work, needs, readOnly }) => [
      host.name,
      actsOn,
      workData(work),
      needs,
      readOnly,
    ]),
  ];
}

// A module's functions by their text: one that was edited since announces something else.
const workData = (work: Action | Condition): unknown =>
  work.kind === "action"
    ? [work.module.name, work.module.read, work.module.diff, work.params]
    : [work.probe.name, work.probe.check, work.params];

// Params are kept as they were given, so that the file can be applied without naming them again; secrets are not.
function keptParams({ playbook, params }: Call, digests: KeyedHash): PlanFile["params"] {
  const parsed = parsePlaybookParams(playbook, params);
  return Object.fromEntries(
    Object.entries(params).map(([name, text]) => [
      name,
      holdsSecret((parsed as Record<string, unknown>)[name]) || redact(text) !== text
        ? { secret: digests.of(text) }
        : text,
    ]),
  );
}

/** The secrets of a run by where they come from, each as its keyed hash. */
export const keptSecrets = (secrets: Secrets, digests: KeyedHash): PlanFile["secrets"] =>
  Object.fromEntries(
    Array.from(secrets, ([key, value]) => [
      sourceWords(JSON.parse(key) as SecretSource),
      digests.of(value),
    ]),
  );

function sourceWords(source: SecretSource): string {
  switch (source.from) {
    case "env":
      return `$${source.name}`;
    case "file":
      return source.path;
    case "command":
      return source.command.argv.join(" ");
    case "prompt":
      return `the answer to "${source.question}"`;
  }
}
