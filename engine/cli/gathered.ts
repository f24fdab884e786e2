import { Writable } from "node:stream";
import type { Io } from "./io.ts";

/**
 * The same stream, but what is written in one tick goes out in one piece: on a pipe each write waits for the system,
 * and a run of thousands of nodes has as many lines.
 */
export function gathered(out: Io["stdout"]): {
  write(text: string): void;
  readonly columns?: number;
} {
  let corked = false;
  const uncork = () => {
    corked = false;
    if (out instanceof Writable) out.uncork();
  };
  return {
    write(text) {
      if (!corked && out instanceof Writable) {
        corked = true;
        out.cork();
        setImmediate(uncork);
      }
      out.write(text);
    },
    ...(out.columns !== undefined && { columns: out.columns }),
  };
}
