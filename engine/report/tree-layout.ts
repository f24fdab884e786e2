import { hasFailed, isDone, type RunModel, type StepProgress } from "./model.ts";
import { elapsed, oneLine, plural } from "./text.ts";
import {
  type Entry,
  entriesOf,
  failureLines,
  folded,
  isEntryDone,
  isNews,
  isStarted,
  type Line,
  phaseLine,
  runningLines,
  stepLine,
  unreachableLines,
} from "./tree-lines.ts";

export interface View {
  readonly now: number;
  /** How many lines there is room for; Infinity for the last frame, which scrolls. */
  readonly rows: number;
  /** The run is over: what went on unremarkably is folded, the rest stays as a record. */
  readonly final: boolean;
}

/** How much is folded away: 0 nothing but done and coming phases, 3 all but what is at work now and its phases, 4 those too. */
type Detail = 0 | 1 | 2 | 3 | 4;

/** The whole tree in at most `view.rows` lines: the same model and view give the same lines. */
export function layout(model: RunModel, view: View): Line[] {
  const head = [header(model, view), ...unreachableLines(model)];
  const entries = entriesOf(model);
  if (view.final) return [...head, ...entries.flatMap((entry) => lasting(model, entry, view))];
  for (const detail of [0, 1, 2, 3, 4] as const) {
    const lines = [...head, ...body(model, entries, { ...view, detail })];
    if (lines.length <= view.rows) return lines;
    if (detail === 4) return cutDown(lines, head.length, view.rows);
  }
  return head;
}

function header(model: RunModel, { now, final }: View): Line {
  const { started, steps } = model;
  const hosts = new Set(started?.steps.flatMap((step) => step.hosts)).size;
  const all = [...steps.values()];
  const done = all.filter(isDone).length;
  const mode = started?.mode === "check" ? " --check" : "";
  const progress = final ? plural(all.length, "step") : `${done}/${plural(all.length, "step")}`;
  return {
    depth: 0,
    icon: "none",
    spans: [
      { text: `${oneLine(started?.playbook ?? "")}${mode}`, tone: "plain" },
      { text: `  ${plural(hosts, "host")}, ${progress}`, tone: "dim" },
    ],
    right: started === undefined ? "" : elapsed((model.recap?.at ?? now) - started.at),
  };
}

interface Detailed extends View {
  readonly detail: Detail;
}

function body(model: RunModel, entries: readonly Entry[], view: Detailed): Line[] {
  if (view.detail < 2) return entries.flatMap((entry) => entryLines(model, entry, view));
  const settled = entries.filter((entry) => isEntryDone(entry) && isFoldable(entry.steps, view));
  const coming = entries.filter((entry) => !isStarted(entry));
  const isShown = (entry: Entry) => view.detail < 4 || entry.steps.some(isAtWork);
  const rest = entries.filter(
    (entry) => !settled.includes(entry) && !coming.includes(entry) && isShown(entry),
  );
  return [
    ...folded(
      settled.flatMap(({ steps }) => steps),
      "ok",
      0,
    ),
    ...rest.flatMap((entry) => entryLines(model, entry, view)),
    ...folded(
      coming.flatMap(({ steps }) => steps),
      "waiting",
      0,
    ),
  ];
}

const isAtWork = ({ running }: StepProgress): boolean => running.size > 0;

// A failed step keeps a line of its own as long as there is any room.
const isFoldable = (steps: readonly StepProgress[], { detail }: Detailed): boolean =>
  detail >= 3 || !steps.some(hasFailed);

function entryLines(model: RunModel, entry: Entry, view: Detailed): Line[] {
  const [only] = entry.steps;
  if (entry.phase === "" && only !== undefined)
    return stepLines(model, only, { ...view, depth: 0 });
  const head = phaseLine(entry, view.now);
  if (!isStarted(entry)) return [head];
  const shown = (step: StepProgress) => stepLines(model, step, { ...view, depth: 1 });
  if (isEntryDone(entry)) return [head, ...entry.steps.filter(hasFailed).flatMap(shown)];
  if (view.detail === 0) return [head, ...entry.steps.flatMap(shown)];
  if (view.detail >= 3) return [head, ...entry.steps.filter(isAtWork).flatMap(shown)];
  const settled = entry.steps.filter((step) => isDone(step) && isFoldable([step], view));
  const coming = entry.steps.filter((step) => step.startedAt === undefined && !isDone(step));
  const rest = entry.steps.filter((step) => !settled.includes(step) && !coming.includes(step));
  return [
    head,
    ...folded(settled, "ok", 1),
    ...rest.flatMap(shown),
    ...folded(coming, "waiting", 1),
  ];
}

function stepLines(
  model: RunModel,
  step: StepProgress,
  view: Detailed & { depth: number },
): Line[] {
  return [
    stepLine(step, view.depth, view.now),
    ...(view.detail < 3 ? runningLines(step, view.depth + 1, view.now) : []),
    ...failureLines(model, step, view.depth + 1).slice(0, view.detail < 3 ? undefined : 1),
  ];
}

/** An entry as it stays on the screen after the run. */
function lasting(model: RunModel, entry: Entry, view: View): Line[] {
  const steps = entry.steps.filter((step) => entry.phase === "" || isNews(step));
  const lines = steps.flatMap((step) =>
    stepLines(model, step, { ...view, detail: 0, depth: entry.phase === "" ? 0 : 1 }),
  );
  return entry.phase === "" ? lines : [phaseLine(entry, view.now), ...lines];
}

// What is at work now and what comes next is at the bottom: the lines above are the ones to miss least.
function cutDown(lines: readonly Line[], head: number, rows: number): Line[] {
  const kept = Math.max(1, rows - head - 1);
  const missing = plural(lines.length - head - kept, "line");
  const gap: Line = {
    depth: 0,
    icon: "none",
    spans: [{ text: `… ${missing} …`, tone: "dim" }],
    right: "",
  };
  return [...lines.slice(0, head), gap, ...lines.slice(-kept)].slice(-Math.max(1, rows));
}
