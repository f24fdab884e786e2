import type { Action, Condition } from "../dsl/module.ts";
import type { DeclaredAction, DeclaredGate, DeclaredStep, PlayHost } from "../dsl/step.ts";
import { PlaybookError } from "../errors/error.ts";
import { topologicalOrder } from "../graph/order.ts";
import { checkLiterals, specOf } from "./action-params.ts";
import { checkRefs, needsOf, outputsOf, type StepsByLabel, stepGraph } from "./edges.ts";
import { type Filters, filterPlan } from "./filter.ts";
import type { Plan, PlanNode } from "./plan.ts";
import { declare, type PlayInput, playbookCode } from "./play.ts";
import { rollingFault } from "./rolling.ts";
import { refuseLasting } from "./undo.ts";

/** Everything that can be known and checked of a playbook before any connection. */
export function makePlan(input: PlayInput, filters: Filters = {}): Plan {
  const { steps, hosts, question } = declare(input);
  const byLabel: StepsByLabel = new Map(steps.map((step) => [step.label, step]));
  const byName = new Map(hosts.map((host) => [host.name, host]));
  const nodes = steps.flatMap((step) => expandStep(step, byName, byLabel));
  const graph = stepGraph(byLabel, nodes);
  const order = topologicalOrder(graph);
  const nodesOf = Map.groupBy(nodes, ({ step }) => step.label);
  const ranked = order
    .flatMap((label) => nodesOf.get(label) ?? [])
    .map((node, rank) => ({ ...node, rank }));
  const plan: Plan = {
    playbook: input.playbook.name,
    steps: order.flatMap((label) => byLabel.get(label) ?? []),
    nodes: ranked,
    graph,
    inventory: input.inventory.hosts,
    leftOut: [],
    question,
  };
  return filterPlan(plan, filters, input.inventory);
}

function expandStep(
  step: DeclaredStep,
  hosts: ReadonlyMap<string, PlayHost>,
  steps: StepsByLabel,
): PlanNode[] {
  checkOptions(step);
  const checked = new WeakSet<Action | Condition>();
  const nodes = step.on.hosts.map((name): PlanNode => {
    const host = hosts.get(name);
    if (host === undefined)
      throw new PlaybookError("PB_UNKNOWN_HOST", [name, [...hosts.keys()]], { at: step.at });
    const work = workOf(step, host);
    const refs = outputsOf(step, work.params);
    const node = {
      step,
      host,
      actsOn: actsOn(step, name),
      work,
      needs: needsOf(step, refs, steps),
      rank: 0,
      readOnly: false,
    };
    checkRefs(node, refs, steps);
    if (!checked.has(work)) checkLiterals(work, step.label);
    checked.add(work);
    return node;
  });
  checkOneModule(step, nodes);
  refuseLasting(step, nodes);
  return nodes;
}

function workOf(step: DeclaredStep, host: PlayHost): Action | Condition {
  const work: unknown = playbookCode(step.at, () =>
    step.kind === "action" ? step.ensure(host) : step.until(host),
  );
  const wanted = step.kind === "action" ? "action" : "condition";
  if (isWork(work) && work.kind === wanted) return work;
  const given =
    step.kind === "action" ? "`ensure` gives no module's action" : "`until` gives no probe";
  throw invalid(step, `${given} for ${host.name}`);
}

const isWork = (value: unknown): value is Action | Condition =>
  typeof value === "object" && value !== null && "kind" in value && "params" in value;

function actsOn(step: DeclaredStep, host: string): string {
  if (step.via === undefined) return host;
  const [via] = step.via.hosts;
  if (via === undefined) throw invalid(step, `\`via\` is ${step.via.name}, which has no host`);
  return via;
}

// A step's outputs have one type, so it must be one module on every host.
function checkOneModule(step: DeclaredStep, nodes: readonly PlanNode[]): void {
  const names = Array.from(new Set(nodes.map(({ work }) => specOf(work).name)));
  if (names.length > 1)
    throw invalid(step, `it ensures ${names.join(" on some hosts and ")} on others`);
}

function checkOptions(step: DeclaredStep): void {
  const why =
    userFault(step) ??
    (step.kind === "gate"
      ? gateFault(step)
      : (envFault(step) ?? (step.rolling && rollingFault(step.rolling))));
  if (why !== undefined) throw invalid(step, why);
}

// sudo takes `#0` for a number, and whatever begins with a dash for an option.
const userFault = ({ as }: DeclaredStep): string | undefined =>
  /^[a-z_][a-z0-9_.-]{0,31}\$?$/i.test(as) ? undefined : `\`as\` is no user's name: "${as}"`;

function envFault({ env }: DeclaredAction): string | undefined {
  for (const [name, value] of Object.entries(env)) {
    if (!/^[a-z_]\w*$/i.test(name))
      return `\`env\` has a variable that no shell can name: "${name}"`;
    if (value.includes("\0")) return `\`env\` has a NUL byte in ${name}`;
  }
  return undefined;
}

const gateFault = ({ holdForMs, withinMs }: DeclaredGate): string | undefined =>
  holdForMs > withinMs ? "`holdFor` is longer than `within`, so it could never hold" : undefined;

const invalid = (step: DeclaredStep, why: string) =>
  new PlaybookError("PB_STEP_INVALID", [step.label, why], { at: step.at, step: step.label });
