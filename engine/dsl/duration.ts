/** A length of time as people write it: "500ms", "30s", "5m", "2h", "7d". */
export type Duration = `${number}${"ms" | "s" | "m" | "h" | "d"}`;

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Milliseconds of a duration. @throws TypeError for text that is none. */
export function toMs(duration: Duration): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(duration);
  const [, amount, unit] = match ?? [];
  if (amount === undefined || unit === undefined)
    throw new TypeError(`"${duration}" is no duration such as 500ms, 30s, 5m, 2h or 7d`);
  return Number(amount) * unitMs[unit as keyof typeof unitMs];
}
