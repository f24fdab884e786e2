import type pc from "picocolors";
import type { RunEvent } from "./event.ts";

export type Colors = ReturnType<typeof pc.createColors>;

/** How a run is shown: a renderer consumes events and knows nothing else of the run. */
export interface Renderer {
  emit(event: RunEvent): void;
  /** A word to the operator that is no event of the run: what Ctrl-C does. */
  note(message: string): void;
  /** Once no event follows: whatever is still to be written is written. */
  end(): Promise<void>;
}

/** Where and how a renderer writes. */
export interface RenderOptions {
  readonly out: {
    write(text: string): unknown;
    readonly columns?: number;
    readonly rows?: number;
  };
  readonly colors: Colors;
  /** 0 what happened, 1 each change and why something was skipped, 2 each start and each look of a gate. */
  readonly verbose: number;
  /** Show the differences of files. */
  readonly diff: boolean;
  readonly now: () => number;
}
