import type { Action } from "../dsl/module.ts";
import { type ErrorContext, PlaybookError } from "../errors/error.ts";
import type { PlanNode } from "../plan/plan.ts";
import { listed, plural } from "../report/text.ts";
import type { KeptFinding } from "./finding.ts";
import { type Matched, match } from "./match.ts";
import type { PlannedNode } from "./schema.ts";

/** A node that is to be changed, and what its plan and the run so far say of it. */
export interface Judging {
  readonly node: PlanNode;
  readonly planned: PlannedNode;
  /** Steps that it comes after and whose announced changes were made. */
  readonly before: readonly string[];
  /** Whether an attempt in this run has begun to change it. */
  readonly begun: boolean;
  /** Whether what the host looks like may be other than the plan saw, as this plan was at work since. */
  readonly moved: boolean;
  /** Whether it is there for a failure, and that came. */
  readonly rescues: boolean;
}

/** Why the changes that were found may not be made; undefined where the plan announces each of them. */
export function judgeFinding(judging: Judging, found: KeptFinding): PlaybookError | undefined {
  const { planned } = judging;
  if (isAnnounced(judging)) return undefined;
  const matched = match(planned.changes ?? [], found.changes, judging.moved);
  const others = matched.filter(({ why }) => why !== undefined);
  if (others.length === 0) return undefined;
  const isSame = planned.read === found.read && planned.given === found.given;
  return isSame && !others.every(({ ours }) => ours)
    ? impure(judging, matched)
    : drifted(judging, matched, found);
}

// What could not be seen when the plan was made, and was announced with its cause; only that cause allows it.
function isAnnounced({ node, planned, before, rescues }: Judging): boolean {
  if (rescues) return true;
  if (planned.outcome === "unknown")
    return planned.waitsFor !== undefined && before.includes(planned.waitsFor);
  return (
    planned.outcome === "would-change" &&
    planned.changes?.length === 0 &&
    node.needs.some(({ kind, step }) => kind === "onChange" && before.includes(step))
  );
}

function impure(judging: Judging, matched: readonly Matched[]) {
  const { step, host, work } = judging.node;
  const { name } = (work as Action).module;
  const context = contextOf(judging, matched);
  const where = [step.label, host.name] as const;
  return new PlaybookError("PB_MODULE_IMPURE", [name, ...where, foundWords(matched)], context);
}

function drifted(judging: Judging, matched: readonly Matched[], { given }: KeptFinding) {
  const { node, planned, before } = judging;
  const where = [node.step.label, node.host.name] as const;
  const sources = new Set(node.needs.flatMap(({ kind, step }) => (kind === "data" ? [step] : [])));
  const context = contextOf(judging, matched);
  if (planned.given !== undefined && planned.given !== given)
    context.hint = `Its params are others than planned: look at what ${listed([...sources], 4) || "the playbook"} gives, and make a new plan.`;
  else if (before.length > 0)
    context.hint = `What ${listed(before, 4)} changed in this run may be the reason: make a new plan, which sees it.`;
  const difference = [plannedWords(planned), foundWords(matched)] as const;
  return new PlaybookError("PB_PLAN_DRIFTED", [...where, ...difference], context);
}

function plannedWords({ outcome, why, changes, waitsFor }: PlannedNode): string {
  const because = why === undefined ? "" : ` (${why})`;
  switch (outcome) {
    case "ok":
      return "change nothing";
    case "would-change":
      return changes?.length === 0
        ? `change something only if it${because}`
        : `make ${plural(changes?.length ?? 0, "change")}`;
    case "unknown":
      return `change something only after "${waitsFor}" did`;
    case "skipped":
      return `be skipped${because}`;
    case "cannot-tell":
    case "failed":
    case "unreachable":
      return `change nothing, as nothing could be told${because}`;
  }
}

const foundWords = (matched: readonly Matched[]): string => {
  const others = matched.filter(({ why }) => why !== undefined);
  const [first] = others;
  const more = others.length > 1 ? `, and ${plural(others.length - 1, "other")}` : "";
  return `${first?.say} (${first?.why})${more}`;
};

function contextOf({ node, planned, begun }: Judging, matched: readonly Matched[]): ErrorContext {
  const { name } = node.host;
  return {
    output: [
      ...few((planned.changes ?? []).map(({ say }) => `planned: ${say}`)),
      ...few(
        matched.map(({ say, why }) => `found:   ${say}${why === undefined ? "" : ` (${why})`}`),
      ),
    ],
    state: begun
      ? `an earlier attempt of this step began to change ${name}; nothing was changed since`
      : `nothing was changed on ${name} by this step`,
  };
}

const MOST = 9;

const few = (lines: readonly string[]): readonly string[] =>
  lines.length <= MOST
    ? lines
    : [...lines.slice(0, MOST - 1), `and ${lines.length - MOST + 1} more`];
