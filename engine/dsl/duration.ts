/** A length of time as people write it: "500ms", "30s", "5m", "2h", "7d". */
export type Duration = `${number}${"ms" | "s" | "m" | "h" | "d"}`;

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Whether a value is a length of time as people write it. */
export const isDuration = (value: unknown): value is Duration =>
  typeof value === "string" && FORM.test(value);

const FORM = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;

/** Milliseconds of a duration. @throws TypeError for text that is none. */
export function toMs(duration: Duration): number {
  const [, amount, unit] = FORM.exec(duration) ?? [];
  if (amount === undefined || unit === undefined)
    throw new TypeError(`"${duration}" is no duration such as 500ms, 30s, 5m, 2h or 7d`);
  return Number(amount) * unitMs[unit as keyof typeof unitMs];
}
