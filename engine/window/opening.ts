import { Temporal } from "temporal-polyfill";
import { type Window, weekdays } from "./parse.ts";

/** Whether a window is open at a moment, and until or from when. Ms since the epoch; one that never closes has Infinity. */
export type Opening =
  | { readonly isOpen: true; readonly closesAt: number }
  | { readonly isOpen: false; readonly opensAt: number };

/** The days before and after a moment on which something that matters for it can open. */
const DAYS = Array.from({ length: 10 }, (_, index) => index - 1);

/** Looks at a window at a moment, in the window's own time zone: a night in which clocks change is longer or shorter. */
export function openingAt(window: Window, now: number): Opening {
  const spans = spansAround(window, now);
  const current = spans.find(({ opensAt, closesAt }) => opensAt <= now && now < closesAt);
  if (current !== undefined) return { isOpen: true, closesAt: lastOf(current, spans) };
  const opensAt = spans.find((span) => span.opensAt > now)?.opensAt;
  if (opensAt === undefined) throw new TypeError("a window opens within any eight days");
  return { isOpen: false, opensAt };
}

/** A moment for people, in the window's time zone: "Fri 2026-11-27 22:00 Europe/Berlin". */
export function momentIn({ timeZone }: Window, at: number): string {
  const local = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timeZone);
  const day = weekdays[local.dayOfWeek - 1] ?? "";
  const name = `${day.charAt(0).toUpperCase()}${day.slice(1)}`;
  const time = local.toPlainTime().toString({ smallestUnit: "minute" });
  return `${name} ${local.toPlainDate().toString()} ${time} ${timeZone}`;
}

interface Span {
  readonly opensAt: number;
  readonly closesAt: number;
}

function spansAround({ days, from, to, timeZone }: Window, now: number): Span[] {
  const today = Temporal.Instant.fromEpochMilliseconds(now)
    .toZonedDateTimeISO(timeZone)
    .toPlainDate();
  return DAYS.map((offset) => today.add({ days: offset }))
    .filter(({ dayOfWeek }) => days.some((day) => weekdays.indexOf(day) + 1 === dayOfWeek))
    .map((day) => ({
      opensAt: moment(day, from, timeZone),
      closesAt: end(to > from ? day : day.add({ days: 1 }), to, timeZone),
    }));
}

// A time that the clocks skip is taken as much later; of one that they show twice, the first counts.
function moment(day: Temporal.PlainDate, minutes: number, timeZone: string): number {
  return day
    .toPlainDateTime()
    .add({ minutes })
    .toZonedDateTime(timeZone, { disambiguation: "compatible" }).epochMilliseconds;
}

// A window that would close at a time which the clocks skip closes as they skip it, never later by the clock.
function end(day: Temporal.PlainDate, minutes: number, timeZone: string): number {
  const local = day.toPlainDateTime().add({ minutes });
  const at = local.toZonedDateTime(timeZone, { disambiguation: "compatible" });
  const skipped = !at.toPlainDateTime().equals(local);
  return (
    (skipped ? at.getTimeZoneTransition("previous") : null)?.epochMilliseconds ??
    at.epochMilliseconds
  );
}

// One that opens again as it closes (00:00-24:00) stays open.
function lastOf({ closesAt }: Span, spans: readonly Span[]): number {
  const next = spans.find((span) => span.opensAt <= closesAt && closesAt < span.closesAt);
  if (next !== undefined) return lastOf(next, spans);
  return closesAt === spans.at(-1)?.closesAt ? Number.POSITIVE_INFINITY : closesAt;
}
