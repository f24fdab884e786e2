import { medianMs } from "./matrix.ts";
import { peerNames } from "./peers/peer.ts";
import type { BenchResult, Cell } from "./result.ts";

/** Round trips of a run on one host with nothing to do: how its time grows with the delay. */
export function roundTripsOf({ cells }: BenchResult): { peer: Cell["peer"]; trips: number }[] {
  const here = cells.filter(
    ({ hosts, mode, samples }) => hosts === 1 && mode === "no-op" && samples.length > 0,
  );
  return (["connect", ...peerNames] as const).flatMap((peer) => {
    const own = here.filter((cell) => cell.peer === peer).sort((a, b) => a.roundTrip - b.roundTrip);
    const [least, most] = [own[0], own.at(-1)];
    if (least === undefined || most === undefined || least === most) return [];
    const trips = (medianMs(most) - medianMs(least)) / (most.roundTrip - least.roundTrip);
    return [{ peer, trips }];
  });
}
