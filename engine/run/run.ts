import type { Inventory } from "../dsl/inventory.ts";
import type { Playbook } from "../dsl/playbook.ts";
import { PlaybookError } from "../errors/error.ts";
import { HostLocks } from "../lock/host-locks.ts";
import { makePlan } from "../plan/expand.ts";
import type { Plan, PlanNode } from "../plan/plan.ts";
import { checkSecretParams, readSecrets, type Secrets } from "../plan/secrets.ts";
import { lastingSteps } from "../plan/undo.ts";
import type { Emit } from "../report/event.ts";
import { brief } from "../report/text.ts";
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
import { stopReason } from "./stop.ts";
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
  const planned = options.plan ?? plan(playbook, inventory, options);
  const secrets = await readSecrets(
    planned,
    controlMachine(options.ask ?? (async () => undefined)),
  );
  checkSecretParams(planned, secrets);
  await together(options.witnesses ?? []).begins(planned, secrets);
  const { clock, mode, stop, cut } = options;
  const began = clock.steady();
  const id = options.id ?? newRunId(clock.now());
  tellStart(planned, id, options);
  await lookFirst(planned, secrets, { ...options, forks, id });
  const tally = await execute(planned, secrets, { ...options, forks, id });
  const lastTook = (stop.aborted ? await options.lastTook?.() : undefined) ?? unmeasured;
  const ending = { stop: stopReason(stop), isCut: cut.aborted, lastTook };
  const ms = clock.steady() - began;
  const recap = tally.recap({ at: clock.now(), ms, mode, ...ending });
  options.emit(recap);
  return recap;
}

async function lookFirst(planned: Plan, secrets: Secrets, options: Ready): Promise<void> {
  if (options.lookFirst === undefined) return;
  const witnesses = [options.lookFirst];
  await together(witnesses).begins(planned, secrets);
  await execute(planned, secrets, { ...options, mode: "check", emit: () => undefined, witnesses });
}

/** What a run is given, with what it takes for itself where it is given nothing. */
type Ready = RunOptions & { readonly forks: number; readonly id: string };

const unmeasured = () => undefined;

/** How many hosts are worked on at once unless told otherwise. */
const DEFAULT_FORKS = 50;

async function execute(planned: Plan, secrets: Secrets, options: Ready): Promise<Tally> {
  const { id: run, mode, clock, emit, stop, cut, transports, operator, resumes } = options;
  const { inventory } = planned;
  // Nobody need be kept out of what is only looked at.
  const owner = mode === "check" || operator === undefined ? undefined : { run, ...operator };
  const changing = owner && { run, hosts: changedBy(planned) };
  const connections = new Connections({
    ...{ inventory, secrets, transports },
    ...(changing && { changing }),
  });
  const lost = (host: string, error: unknown) => hosts.giveUp(host, error);
  const locks =
    owner && changing && new HostLocks({ owner, resumes, hosts: changing.hosts, clock, lost });
  const hosts: Hosts = new Hosts({ inventory, connections, locks, resumes, clock, emit });
  const ledger = new Ledger(planned);
  const tally = new Tally(planned);
  const witness = together(options.witnesses ?? []);
  const foresight = new Foresight();
  const given = { run, mode, clock, emit, stop, cut };
  const context: RunContext = { ...given, hosts, foresight, ledger, secrets, witness };
  const began = new Map<PlanNode, number>();
  const schedule = new Schedule({
    plan: planned,
    forks: options.forks,
    batches: mode === "apply",
    stop,
    judge: (node) => judge(node, ledger, options.earlier),
    work: (node, going) => {
      began.set(node, clock.steady());
      return runNode(node, going, context);
    },
    waits: (node) => foresight.begin(node, context),
    ended: (node, ended) => {
      ledger.record(node, ended);
      tally.add(node, ended);
      witness.ended(node, ended);
      const start = began.get(node);
      const ms = start === undefined ? 0 : clock.steady() - start;
      tellEnd(node, ended, { emit, at: clock.now(), ms });
      began.delete(node);
    },
  });
  await schedule.run().finally(() => hosts.close());
  return tally;
}

// Gates only look, and so do steps outside --limit. Where nothing is done as root, nobody need be able to be root.
function changedBy({ nodes }: Plan): Map<string, string | undefined> {
  const hosts = new Map<string, string | undefined>();
  for (const { step, actsOn, readOnly } of nodes)
    if (step.kind === "action" && !readOnly)
      hosts.set(actsOn, step.as === "root" ? "root" : hosts.get(actsOn));
  return hosts;
}

function tellStart(planned: Plan, id: string, options: RunOptions): void {
  const { steps, nodes, leftOut, playbook } = planned;
  const lasting = lastingSteps(planned);
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
    ...(lasting.length === 0 ? {} : { lasting }),
  });
}

interface Telling {
  readonly emit: Emit;
  readonly at: number;
  /** How long it took; 0 where it never began. */
  readonly ms: number;
}

function tellEnd({ step, host }: PlanNode, ended: Ended, { emit, at, ms }: Telling): void {
  const { outcome, changes, why, error } = ended;
  emit({
    type: "node-finished",
    at,
    step: step.label,
    host: host.name,
    outcome,
    changes,
    ms,
    ...(why === undefined ? {} : { why: brief(why) }),
    ...(error === undefined ? {} : { error }),
  });
}
