import type { ShownError } from "./event.ts";
import { ended, hasFailed, isDone, isQuiet, type RunModel, type StepProgress } from "./model.ts";
import { type Span, stepTime, summary } from "./summary.ts";
import { elapsed, listed, oneLine, plural } from "./text.ts";

export type Icon = "active" | "ok" | "changed" | "bad" | "waiting" | "skipped" | "unknown" | "none";

/** One line of the tree, not yet painted. */
export interface Line {
  readonly depth: number;
  readonly icon: Icon;
  readonly spans: readonly Span[];
  /** Shown at the right edge. */
  readonly right: string;
}

const plain = (text: string): Span => ({ text, tone: "plain" });
const dim = (text: string): Span => ({ text, tone: "dim" });

/** A phase, or a step that is in none. */
export interface Entry {
  readonly phase: string;
  readonly steps: readonly StepProgress[];
}

/** The entries of a tree in the order of their first steps. */
export function entriesOf(model: RunModel): Entry[] {
  const entries: { phase: string; steps: StepProgress[] }[] = [];
  const phases = new Map<string, StepProgress[]>();
  for (const step of model.steps.values()) {
    const known = phases.get(step.phase);
    if (step.phase !== "" && known !== undefined) {
      known.push(step);
      continue;
    }
    const steps = [step];
    phases.set(step.phase, steps);
    entries.push({ phase: step.phase, steps });
  }
  return entries;
}

export const isStarted = ({ steps }: Entry): boolean =>
  steps.some(({ startedAt, done }) => startedAt !== undefined || done > 0);
export const isEntryDone = ({ steps }: Entry): boolean => steps.every(isDone);

/** A step with its hosts in a few words. */
export function stepLine(step: StepProgress, depth: number, now: number): Line {
  const said = summary(step);
  const spans = said.length === 0 ? [] : [plain("  "), ...said];
  return {
    depth,
    icon: iconOf(step),
    spans: [{ text: oneLine(step.label), tone: hasWaiting(step) ? "dim" : "plain" }, ...spans],
    right: stepTime(step, now),
  };
}

const hasWaiting = (step: StepProgress) =>
  step.startedAt === undefined && step.done === 0 && step.hosts.length > 0;

function iconOf(step: StepProgress): Icon {
  if (hasFailed(step)) return step.running.size === 0 ? "bad" : "active";
  if (!isDone(step)) return hasWaiting(step) ? "waiting" : "active";
  if (ended(step, "changed") + ended(step, "would-change") > 0) return "changed";
  if (ended(step, "unknown") + ended(step, "cannot-tell") > 0) return "unknown";
  if (ended(step, "ok") > 0) return "ok";
  return ended(step, "unreachable") > 0 ? "bad" : "skipped";
}

/** Hosts that failed, each with its reason; the rest of many as a count. */
export function failureLines(model: RunModel, step: StepProgress, depth: number): Line[] {
  const failed = step.ended.get("failed") ?? [];
  const shown = failed.slice(0, failed.length > 5 ? 4 : 5);
  const lines = shown.map((host): Line => {
    const error = model.errorOf.get(`${step.label}\0${host}`);
    return { depth, icon: "bad", spans: [plain(oneLine(host)), ...reason(error)], right: "" };
  });
  const rest = failed.slice(shown.length);
  if (rest.length === 0) return lines;
  const more = `and ${rest.length} more: ${oneLine(listed(rest, 6))}`;
  return [...lines, { depth, icon: "none", spans: [dim(more)], right: "" }];
}

const reason = (error: ShownError | undefined): Span[] =>
  error === undefined ? [] : [dim("  "), { text: oneLine(error.message), tone: "bad" }];

/** Hosts at work: each by name while they are few, else those that say what they wait for. */
export function runningLines(step: StepProgress, depth: number, now: number): Line[] {
  const running = [...step.running];
  if (step.hosts.length === 1) return [];
  const shown =
    running.length <= 4 ? running : running.filter(([, { saw }]) => saw !== undefined).slice(0, 3);
  return shown.map(([host, { since, saw }]) => ({
    depth,
    icon: "none",
    spans: [plain(oneLine(host)), ...(saw === undefined ? [] : [dim(`  ${oneLine(saw)}`)])],
    right: now - since >= 1000 ? elapsed(now - since) : "",
  }));
}

/** Hosts that cannot be reached; the rest of many as a count. */
export function unreachableLines(model: RunModel): Line[] {
  const all = [...model.unreachable];
  const shown = all.slice(0, all.length > 4 ? 3 : 4);
  const lines = shown.map(
    ([host, error]): Line => ({
      depth: 0,
      icon: "bad",
      spans: [plain(oneLine(host)), { text: " unreachable", tone: "bad" }, ...reason(error)],
      right: "",
    }),
  );
  const rest = all.slice(shown.length).map(([host]) => host);
  if (rest.length === 0) return lines;
  const more = `and ${rest.length} more unreachable: ${oneLine(listed(rest, 6))}`;
  return [...lines, { depth: 0, icon: "none", spans: [dim(more)], right: "" }];
}

/** A phase on one line. */
export function phaseLine(entry: Entry, now: number): Line {
  const { steps } = entry;
  const done = steps.filter(isDone);
  const count =
    done.length === steps.length || !isStarted(entry)
      ? plural(steps.length, "step")
      : `${done.length}/${plural(steps.length, "step")}`;
  const changed = sum(steps, "changed");
  const pending = sum(steps, "would-change");
  const failed = sum(steps, "failed");
  return {
    depth: 0,
    icon: phaseIcon(entry, failed, changed + pending),
    spans: [
      { text: oneLine(entry.phase), tone: isStarted(entry) ? "plain" : "dim" },
      dim(`  ${count}`),
      ...(changed > 0 ? [dim(", "), { text: `${changed} changed`, tone: "changed" as const }] : []),
      ...(pending > 0
        ? [dim(", "), { text: `${pending} would change`, tone: "changed" as const }]
        : []),
      ...(failed > 0 ? [dim(", "), { text: `${failed} failed`, tone: "bad" as const }] : []),
    ],
    right: phaseTime(entry, now),
  };
}

function phaseIcon(entry: Entry, failed: number, changed: number): Icon {
  if (!isStarted(entry)) return "waiting";
  if (!isEntryDone(entry)) return "active";
  if (failed > 0) return "bad";
  if (changed > 0) return "changed";
  return sum(entry.steps, "ok") > 0 ? "ok" : "skipped";
}

function phaseTime(entry: Entry, now: number): string {
  const starts = entry.steps.flatMap(({ startedAt }) => startedAt ?? []);
  if (starts.length === 0) return "";
  const ends = entry.steps.flatMap(({ endedAt }) => endedAt ?? []);
  const until = isEntryDone(entry) ? Math.max(...ends) : now;
  const ms = until - Math.min(...starts);
  return ms < 100 ? "" : elapsed(ms);
}

/** Several steps as one line: those done without news, or those still to come. */
export function folded(steps: readonly StepProgress[], icon: Icon, depth: number): Line[] {
  if (steps.length === 0) return [];
  const what =
    icon === "waiting" ? `${plural(steps.length, "step")} to come` : plural(steps.length, "step");
  const changed = sum(steps, "changed");
  const failed = sum(steps, "failed");
  return [
    {
      depth,
      icon: failed > 0 ? "bad" : icon,
      spans: [
        dim(what),
        ...(changed > 0
          ? [dim(", "), { text: `${changed} changed`, tone: "changed" as const }]
          : []),
      ],
      right: "",
    },
  ];
}

/** Whether a step has something that stays worth a line of its own after the run. */
export const isNews = (step: StepProgress): boolean => !isQuiet(step) || !isDone(step);

const sum = (steps: readonly StepProgress[], outcome: Parameters<typeof ended>[1]): number =>
  steps.reduce((total, step) => total + ended(step, outcome), 0);
