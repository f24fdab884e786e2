import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { ifPresent } from "./absent.ts";

const Kept = z.object({ buildMs: z.number().positive() });

interface Which {
  readonly home: string;
  /** The artifact's name: its versions take about as long. */
  readonly name: string;
}

const fileOf = ({ home, name }: Which) => join(home, "artifacts", name, "duration.json");

/** How long the last build of it took here, in ms. */
export async function lastDuration(which: Which): Promise<number | undefined> {
  const text = await ifPresent(readFile(fileOf(which), "utf8"));
  if (text === undefined) return undefined;
  const { success, data } = Kept.safeParse(JSON.parse(text));
  return success ? data.buildMs : undefined;
}

export async function rememberDuration({ ms, ...which }: Which & { readonly ms: number }) {
  const file = fileOf(which);
  await mkdir(join(file, ".."), { recursive: true });
  await writeFile(`${file}.${process.pid}`, `${JSON.stringify({ buildMs: Math.max(1, ms) })}\n`);
  await rename(`${file}.${process.pid}`, file);
}
