import type { Doubt } from "../journal/format.ts";
import { earlierOf, lineOf, type RunRecord } from "../journal/record.ts";
import type { Plan } from "../plan/plan.ts";
import type { RunEvent } from "../report/event.ts";
import { listed } from "../report/text.ts";
import { run } from "../run/run.ts";
import { systemClock } from "./clock.ts";
import type { Job } from "./job.ts";
import { wantedOf } from "./plan-and-run.ts";
import type { Signals } from "./signals.ts";
import { transports } from "./transports.ts";

/** What became of a change in doubt, in words. */
export interface Seen {
  readonly doubt: Doubt;
  readonly found: string;
}

/** How long after the time that a host may take by itself its address may still be silent, in ms. */
const GRACE_MS = 60_000;
/** Between two looks at hosts that do not answer yet, in ms. */
const PAUSE_MS = 2000;

/**
 * Reads the nodes in doubt, and what they need, and changes nothing. A host that may be rolling back or starting anew is
 * waited for as long as it may take for that.
 */
export async function lookAtDoubts(
  job: Job,
  record: RunRecord,
  { plan, signals }: { readonly plan: Plan; readonly signals: Signals },
): Promise<Seen[]> {
  const { doubts } = record;
  const planned = doubts.filter(({ step, host }) =>
    plan.nodes.some((node) => node.step.label === step && node.host.name === host),
  );
  const busyUntil = Math.max(0, ...planned.map(({ until = 0 }) => until + GRACE_MS));
  for (;;) {
    const events = planned.length === 0 ? [] : await check(job, { record, planned, signals });
    const silent = events.some(({ type }) => type === "host-unreachable");
    const wait = silent && systemClock.now() < busyUntil && !signals.stop.aborted;
    if (!wait) return doubts.map((doubt) => ({ doubt, found: foundOf(doubt, events) }));
    await systemClock.wait(PAUSE_MS, signals.stop).catch((aborted: unknown) => {
      if (!signals.stop.aborted) throw aborted;
    });
  }
}

interface Looking {
  readonly record: RunRecord;
  readonly planned: readonly Doubt[];
  readonly signals: Signals;
}

async function check(job: Job, { record, planned, signals }: Looking): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  await run(job.playbook, job.inventory, {
    params: wantedOf(job.options).params,
    limit: Array.from(new Set(planned.map(({ host }) => host))),
    only: Array.from(new Set(planned.map(({ step }) => step))),
    mode: "check",
    resumes: lineOf(record.begun),
    earlier: earlierOf(record),
    emit: (event) => events.push(event),
    stop: signals.stop,
    cut: signals.cut,
    transports,
    clock: systemClock,
    ask: job.ask,
  });
  return events;
}

function foundOf({ step, host }: Doubt, events: readonly RunEvent[]): string {
  const of = events.filter(
    (event) => "step" in event && event.step === step && event.host === host,
  );
  const end = of.find((event) => event.type === "node-finished");
  const wanted = of.flatMap((event) => (event.type === "change" ? [event.change.say] : []));
  if (end === undefined) return "its step is gone from the playbook, so nobody reads it";
  switch (end.outcome) {
    case "ok":
      return "it was made, nothing differs";
    case "would-change":
      return wanted.length === 0
        ? (end.why ?? "it is to run again")
        : `still wanted: ${listed(wanted, 3)}`;
    case "unreachable":
      return "the host does not answer";
    case "changed":
    case "failed":
    case "cannot-tell":
    case "skipped":
    case "unknown":
      return `it cannot be read yet: ${end.error?.message ?? end.why ?? end.outcome}`;
  }
}
