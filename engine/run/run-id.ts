import { randomBytes } from "node:crypto";

/**
 * Names a run: `2026-11-26-2201-k3f9`, UTC. Sorts by time, is unique in practice, and can be typed from a screen; no
 * letter in it is mistaken for a digit.
 */
export function newRunId(now: number, random: Uint8Array = randomBytes(4)): string {
  const minute = new Date(now).toISOString().slice(0, 16).replace("T", "-").replace(":", "");
  return `${minute}-${Array.from(random, (byte) => LETTERS[byte % LETTERS.length]).join("")}`;
}

const LETTERS = "23456789abcdefghjkmnpqrstuvwxyz";
