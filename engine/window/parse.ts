import { Temporal } from "temporal-polyfill";
import { z } from "zod";
import type { Weekday, WindowOptions } from "../dsl/window.ts";
import { PlaybookError } from "../errors/error.ts";

/** As Temporal counts them: the first is day 1. */
export const weekdays = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;

/** A window that was checked. */
export interface Window {
  readonly days: readonly Weekday[];
  /** Minutes since midnight; `to` may be 1440. */
  readonly from: number;
  readonly to: number;
  readonly timeZone: string;
}

const minutes = (latest: number) =>
  z.string().transform((text, context) => {
    const [, hour = "", minute = ""] = /^(\d\d):([0-5]\d)$/.exec(text) ?? [];
    const at = Number(hour) * 60 + Number(minute);
    if (hour !== "" && at <= latest) return at;
    context.addIssue({ code: "custom", message: `"${text}" is no time of day such as 22:00` });
    return z.NEVER;
  });

const timeZone = z.string().refine(isTimeZone, {
  error: ({ input }) => `"${input}" is no time zone such as Europe/Berlin`,
});

const Schema = z
  .strictObject({
    days: z
      .array(z.enum(weekdays))
      .min(1, "it opens on no day")
      .default([...weekdays]),
    from: minutes(24 * 60 - 1),
    to: minutes(24 * 60),
    timeZone: timeZone.default(() => Temporal.Now.timeZoneId()),
  })
  .refine(({ from, to }) => from !== to, {
    error: "it opens and closes at the same time (the whole day is 00:00 to 24:00)",
  });

/** A window as a playbook declares it. @throws PB_WINDOW_INVALID */
export function checkWindow(declared: WindowOptions, at: string): Window {
  const parsed = Schema.safeParse(declared);
  if (parsed.success) return parsed.data;
  const why = parsed.error.issues.map(({ path, message }) => [...path, message].join(": "));
  throw new PlaybookError("PB_WINDOW_INVALID", ["The playbook's window", why.join("; ")], { at });
}

/** A window as the command line gives it: `22:00-04:00`, `22:00-04:00@Europe/Berlin`. @throws PB_WINDOW_INVALID */
export function parseWindow(text: string): Window {
  const [, from, to, zone] = /^([^-]+)-([^-@]+)(?:@(.+))?$/.exec(text) ?? [];
  const given = { from, to, ...(zone === undefined ? {} : { timeZone: zone }) };
  const parsed = Schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const why =
    from === undefined
      ? "it is not of the form 22:00-04:00 or 22:00-04:00@Europe/Berlin"
      : parsed.error.issues.map(({ message }) => message).join("; ");
  throw new PlaybookError("PB_WINDOW_INVALID", [`--window ${text}`, why]);
}

function isTimeZone(name: string): boolean {
  try {
    Temporal.Now.zonedDateTimeISO(name);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** @example "fri, sat 22:00-04:00 Europe/Berlin" */
export function describeWindow({ days, from, to, timeZone }: Window): string {
  const on = days.length === weekdays.length ? "" : `${days.join(", ")} `;
  return `${on}${clockTime(from)}-${clockTime(to)} ${timeZone}`;
}

const clockTime = (at: number): string =>
  [Math.floor(at / 60), at % 60].map((part) => String(part).padStart(2, "0")).join(":");
