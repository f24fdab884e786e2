/** When an engine dies: as the nth line of its journal is written, from 1, or so many ms after it began. */
export type Death =
  | {
      readonly at: "line";
      readonly line: number;
      /** How much of that line comes to the disk. */
      readonly written: "none" | "torn" | "whole";
      /** After a whole line: how much longer it lives. */
      readonly ms: number;
    }
  | { readonly at: "time"; readonly ms: number };

/** Numbers from 0 below 1, the same for the same seed (mulberry32). */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Somewhere in a journal of so many lines; now and then before there is any. */
export function deathIn(lines: number, next: () => number): Death {
  if (next() < 0.08) return { at: "time", ms: Math.round(300 + 1500 * next()) };
  // What was done is only read again, in fewer lines: a death that comes too late is none.
  const line = 1 + Math.floor(0.6 * lines * next());
  const kind = next();
  if (kind < 0.5) return { at: "line", line, written: "whole", ms: Math.round(400 * next()) };
  return { at: "line", line, written: kind < 0.7 ? "whole" : kind < 0.85 ? "torn" : "none", ms: 0 };
}
