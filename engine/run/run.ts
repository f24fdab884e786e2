import type { Inventory } from "../dsl/inventory.ts";
import type { Playbook } from "../dsl/playbook.ts";
import { redact } from "../dsl/secret.ts";
import { PlaybookError } from "../errors/error.ts";
import { makePlan } from "../plan/expand.ts";
import type { Plan, PlanNode } from "../plan/plan.ts";
import { readSecrets, type Secrets } from "../plan/secrets.ts";
import type { Emit } from "../report/event.ts";
import { Connections } from "./connections.ts";
import type { RunContext } from "./context.ts";
import { controlMachine } from "./control-machine.ts";
import type { Ended } from "./ended.ts";
import { Foresight } from "./foresight.ts";
import { Hosts } from "./hosts.ts";
import { Ledger } from "./ledger.ts";
import { runNode } from "./node.ts";
import type { RunOptions } from "./options.ts";
import { type Recap, Tally } from "./recap.ts";
import { newRunId } from "./run-id.ts";
import { Schedule } from "./schedule.ts";
import { judge } from "./verdict.ts";
import { together } from "./witness.ts";

/** Raw params: text of `--param name=value`, or typed values. */
export type RawParams = Readonly<Record<string, unknown>>;

/** What a run would consist of, without any connection: for --list, --graph and the question to the operator. */
export function plan(
  playbook: Playbook,
  inventory: Inventory,
  options: Pick<RunOptions, "limit" | "only"> & { readonly params?: RawParams } = {},
): Plan {
  const { params = {}, limit, only } = options;
  return makePlan({ playbook, inventory, params }, { limit, only });
}

/**
 * Runs a playbook over an inventory. What is wrong before a host is touched rejects with a PlaybookError; from then on
 * everything is told in events, the recap last.
 */
export async function run(
  playbook: Playbook,
  inventory: Inventory,
  options: RunOptions & { readonly params?: RawParams },
): Promise<Recap> {
  const forks = options.forks ?? DEFAULT_FORKS;
  if (!Number.isInteger(forks) || forks < 1)
    throw new PlaybookError("PB_USAGE", [`--forks ${forks} is no count of hosts from 1.`]);
  const planned = plan(playbook, inventory, options);
  const secrets = await readSecrets(
    planned,
    controlMachine(options.ask ?? (async () => undefined)),
  );
  const startedAt = options.clock.now();
  tellStart(planned, options.id ?? newRunId(startedAt), options);
  const tally = await execute(planned, secrets, { ...options, forks });
  const { clock, mode, stop } = options;
  const recap = tally.recap({ at: clock.now(), startedAt, mode, interrupted: stop.aborted });
  options.emit(recap);
  return recap;
}

/** How many hosts are worked on at once unless told otherwise. */
const DEFAULT_FORKS = 50;

async function execute(
  planned: Plan,
  secrets: Secrets,
  options: RunOptions & { readonly forks: number },
): Promise<Tally> {
  const { mode, clock, emit, stop, cut, transports } = options;
  const { inventory } = planned;
  const connections = new Connections({ inventory, secrets, transports });
  const hosts = new Hosts({ inventory, connections, clock, emit });
  const ledger = new Ledger(planned);
  const tally = new Tally(planned);
  const witness = together(options.witnesses ?? []);
  const foresight = new Foresight();
  const given = { mode, clock, emit, stop, cut };
  const context: RunContext = { ...given, hosts, foresight, ledger, secrets, witness };
  const began = new Map<PlanNode, number>();
  const schedule = new Schedule({
    plan: planned,
    forks: options.forks,
    batches: mode === "apply",
    stop,
    judge: (node) => judge(node, ledger),
    work: (node, going) => {
      began.set(node, clock.now());
      return runNode(node, going, context);
    },
    waits: (node) => foresight.begin(node, context),
    ended: (node, ended) => {
      ledger.record(node, ended);
      tally.add(node, ended);
      witness.ended(node, ended);
      tellEnd(node, ended, { emit, at: clock.now(), began: began.get(node) });
      began.delete(node);
    },
  });
  await schedule.run().finally(() => hosts.close());
  return tally;
}

function tellStart(
  { steps, nodes, leftOut, playbook }: Plan,
  id: string,
  options: RunOptions,
): void {
  const hostsOf = Map.groupBy(nodes, ({ step }) => step.label);
  const { emit, clock, mode } = options;
  emit({
    type: "run-started",
    at: clock.now(),
    id,
    playbook,
    mode,
    steps: steps.map(({ label, phase, kind }) => ({
      label,
      phase,
      kind,
      hosts: (hostsOf.get(label) ?? []).map(({ host }) => host.name),
    })),
    leftOut,
  });
}

interface Telling {
  readonly emit: Emit;
  readonly at: number;
  /** Undefined where it never began. */
  readonly began: number | undefined;
}

function tellEnd({ step, host }: PlanNode, ended: Ended, { emit, at, began }: Telling): void {
  const { outcome, changes, why, error } = ended;
  emit({
    type: "node-finished",
    at,
    step: step.label,
    host: host.name,
    outcome,
    changes,
    ms: began === undefined ? 0 : at - began,
    ...(why === undefined ? {} : { why: redact(why) }),
    ...(error === undefined ? {} : { error }),
  });
}
