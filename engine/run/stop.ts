import type { Ended } from "./ended.ts";

/** Why a run is to stop before its end: what its stop signal is aborted with. */
export type StopReason =
  | { readonly kind: "interrupted" }
  | {
      readonly kind: "window-closed";
      /** When it opens again: ms since the epoch, and in words. */
      readonly opensAt: number;
      readonly opens: string;
    };

/** The reason of a stop signal; undefined while there is none. A signal aborted without one was interrupted. */
export function stopReason({ aborted, reason }: AbortSignal): StopReason | undefined {
  if (!aborted) return undefined;
  return isClosing(reason) ? reason : { kind: "interrupted" };
}

const isClosing = (reason: unknown): reason is StopReason =>
  typeof reason === "object" &&
  reason !== null &&
  "kind" in reason &&
  reason.kind === "window-closed";

/** How a node ends that was not begun, or only looked, when the run was stopped: it is left for the next one. */
export function leftBy(stop: AbortSignal): Ended {
  const why =
    stopReason(stop)?.kind === "window-closed" ? "the window closed" : "the run was stopped";
  return { outcome: "skipped", changes: 0, why, root: why, left: true };
}
