import { ended, isDone, type StepProgress } from "./model.ts";
import { elapsed, listed, oneLine } from "./text.ts";

/** A piece of a line and how it is meant; the renderer picks the colours. */
export interface Span {
  readonly text: string;
  readonly tone: "plain" | "dim" | "good" | "changed" | "bad" | "active";
}

const FEW = 3;

/** A step's hosts in a few words: "184/200 ok, 3 changed, w17 failed". */
export function summary(step: StepProgress): Span[] {
  const total = step.hosts.length;
  const parts: Span[] = [];
  const say = (names: readonly string[] | undefined, what: string, tone: Span["tone"]) => {
    if (names === undefined || names.length === 0) return;
    parts.push({ text: `${counted(names, total)} ${what}`, tone });
  };
  const { ended: by } = step;
  const ok = by.get("ok");
  if (total > 1 && ok !== undefined)
    parts.push({
      text: `${ok.length === total ? total : `${ok.length}/${total}`} ok`,
      tone: "dim",
    });
  else say(ok, "ok", "dim");
  say(by.get("changed"), "changed", "changed");
  say(by.get("would-change"), "would change", "changed");
  say(by.get("failed"), "failed", "bad");
  say(by.get("unreachable"), "unreachable", "bad");
  say(by.get("cannot-tell"), "cannot tell", "bad");
  say(by.get("unknown"), withWhy("unknown", step), "dim");
  say(by.get("skipped"), withWhy("skipped", step), "dim");
  if (total > 1 && step.running.size > 0)
    parts.push({ text: `${step.running.size} running`, tone: "active" });
  else
    for (const [host, { saw }] of step.running)
      parts.push({
        text: `${oneLine(host)} ${saw === undefined ? "running" : oneLine(saw)}`,
        tone: "active",
      });
  return parts.flatMap((part, index) =>
    index === 0 ? [part] : [{ text: ", ", tone: "dim" as const }, part],
  );
}

// Names are what an operator looks for, as long as they are few and say more than "all".
const counted = (names: readonly string[], total: number): string =>
  names.length > FEW || (names.length === total && total > 1)
    ? String(names.length)
    : oneLine(listed(names, FEW));

// A reason that holds for some of many hosts would crowd out their counts.
const withWhy = (what: "unknown" | "skipped", step: StepProgress): string =>
  step.why === undefined || ended(step, what) < step.hosts.length
    ? what
    : `${what} (${oneLine(step.why)})`;

/** How long a step took or is taking; empty before it starts and for what took no time. */
export function stepTime(step: StepProgress, now: number): string {
  if (step.startedAt === undefined) return "";
  const ms = (step.endedAt ?? now) - step.startedAt;
  const left = timeLeft(step, ms);
  return ms < 100 ? "" : `${elapsed(ms)}${left === undefined ? "" : ` ~${elapsed(left)} left`}`;
}

// Known only where enough hosts have ended to make a rate, and some have not.
function timeLeft(step: StepProgress, ms: number): number | undefined {
  const worked = step.done - ended(step, "skipped");
  if (isDone(step) || worked < 8 || ms < 2000) return undefined;
  return (ms / worked) * (step.hosts.length - step.done);
}
