import type { Rolling } from "../dsl/step.ts";

type Size = number | `${number}%`;

/** Why a rolling is none; undefined where it is sound. */
export function rollingFault({ batch, maxFailed = 0 }: Rolling): string | undefined {
  const ramp = Array.isArray(batch) ? batch : [batch];
  if (ramp.length === 0) return "`rolling.batch` is empty";
  const wrong = ramp.find((size) => !isSize(size, 1));
  if (wrong !== undefined)
    return `\`rolling.batch\` has ${JSON.stringify(wrong)}, which is neither a count from 1 nor a percent up to 100%`;
  if (isSize(maxFailed, 0)) return undefined;
  return `\`rolling.maxFailed\` is ${JSON.stringify(maxFailed)}, which is neither a count nor a percent up to 100%`;
}

/**
 * The sizes of the batches that walk so many hosts; the last of a ramp repeats. Percents are of all hosts, rounded
 * down, and at least one host.
 */
export function batchSizes({ batch }: Rolling, hosts: number): number[] {
  const ramp: readonly Size[] = typeof batch === "object" ? batch : [batch];
  const sizes: number[] = [];
  for (let left = hosts; left > 0; left -= sizes.at(-1) ?? left) {
    const size = ramp[Math.min(sizes.length, ramp.length - 1)] ?? 1;
    sizes.push(Math.min(left, Math.max(1, countOf(size, hosts))));
  }
  return sizes;
}

/** How many hosts of a whole step may fail before no further one is started. */
export const maxFailedOf = ({ maxFailed = 0 }: Rolling, hosts: number): number =>
  countOf(maxFailed, hosts);

const percentOf = (size: Size): number | undefined =>
  typeof size === "string" && /^\d+(\.\d+)?%$/.test(size) ? Number(size.slice(0, -1)) : undefined;

const countOf = (size: Size, hosts: number): number => {
  const percent = percentOf(size);
  return percent === undefined ? Number(size) : Math.floor((percent / 100) * hosts);
};

function isSize(size: unknown, least: number): boolean {
  if (typeof size === "number") return Number.isInteger(size) && size >= least;
  const percent = typeof size === "string" ? percentOf(size as Size) : undefined;
  return percent !== undefined && percent <= 100 && (percent > 0 || least === 0);
}
