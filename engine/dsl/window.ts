/** A time of day as "22:00"; "24:00" is the midnight at which the day ends. */
export type TimeOfDay = `${number}:${number}`;

export type Weekday = "mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun";

/**
 * When changes are allowed. Nothing is begun outside; a run that is still at it when the window closes stops at the next
 * safe point.
 *
 * @example { days: ["fri", "sat"], from: "22:00", to: "04:00", timeZone: "Europe/Berlin" }
 */
export interface WindowOptions {
  /** The days on which it opens: one that opens on Friday at 22:00 closes on Saturday; every day unless given. */
  readonly days?: readonly Weekday[];
  readonly from: TimeOfDay;
  /** On the next day where it is not later than `from`. */
  readonly to: TimeOfDay;
  /** As "Europe/Berlin"; the control machine's unless given. */
  readonly timeZone?: string;
}
