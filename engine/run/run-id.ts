import { randomBytes } from "node:crypto";

/**
 * Names a run: `2026-11-26-220159-k3f9`, UTC. Sorts by time (two of its letters are the part of the second), is unique
 * in practice, and can be typed from a screen: no letter in it is mistaken for a digit.
 */
export function newRunId(now: number, random: Uint8Array = randomBytes(2)): string {
  const second = new Date(now).toISOString().slice(0, 19).replace("T", "-").replaceAll(":", "");
  const part = Math.floor(((now % 1000) * LETTERS.length ** 2) / 1000);
  const letters = [Math.floor(part / LETTERS.length), part, ...random];
  return `${second}-${letters.map((at) => LETTERS[at % LETTERS.length]).join("")}`;
}

const LETTERS = "23456789abcdefghjkmnpqrstuvwxyz";
