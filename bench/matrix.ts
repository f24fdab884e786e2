/** What is measured in which order, and what still fits into the time. */
import { median } from "./measure.ts";
import type { BenchOptions } from "./options.ts";
import type { Cell, MeasuredCell } from "./result.ts";
import { sameCell } from "./result.ts";

/**
 * All cells, the most telling first: by round trip, as the line is changed for that, 0 before the rest; nothing to do
 * before a first run; ten hosts before fifty before one.
 */
export function cellsOf({ roundTrips, modes, hosts, peers }: BenchOptions): Cell[] {
  const most = [...hosts].sort((a, b) => weight(a) - weight(b));
  return roundTrips.flatMap((roundTrip) =>
    modes.flatMap((mode) =>
      most.flatMap((count): Cell[] => {
        const where = { hosts: count, roundTrip, mode };
        const connect = count === 1 && mode === "no-op" && peers.includes("floor");
        return [
          ...peers.map((peer) => ({ peer, ...where })),
          ...(connect ? [{ peer: "connect", ...where } as const] : []),
        ];
      }),
    ),
  );
}

const weight = (hosts: number): number => (hosts === 1 ? Number.POSITIVE_INFINITY : hosts);

/** How long a cell may take, from what the same peer took elsewhere. */
export function expectedMs(cell: Cell, measured: readonly MeasuredCell[]): number {
  const known = measured.filter(({ peer, samples }) => peer === cell.peer && samples.length > 0);
  const same = known.find((other) => sameCell(other, cell));
  if (same !== undefined) return medianMs(same);
  const scaled = known.map(
    (other) =>
      medianMs(other) * Math.max(1, cell.hosts / other.hosts) +
      // A peer asks some hundred times in turn at most.
      100 * Math.max(0, cell.roundTrip - other.roundTrip),
  );
  return scaled.length > 0 ? Math.min(...scaled) : 0;
}

export const medianMs = ({ samples }: MeasuredCell): number => median(samples.map(({ ms }) => ms));
