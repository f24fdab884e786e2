import { open, readFile } from "node:fs/promises";
import { z } from "zod";
import { PlaybookError } from "../errors/error.ts";
import { type Begun, Entry, type EntryOf, FORMAT } from "./format.ts";

/** More characters than the last line of a run has that came to its end. */
const LONGEST_END = 1000;

/** A journal as it was read. */
export interface ReadJournal {
  readonly begun: Begun;
  /** All entries after the first. */
  readonly entries: readonly Entry[];
  /** Whether the last line was cut off by the death of its writer. */
  readonly torn: boolean;
}

/**
 * Reads a journal. A torn last line is what a killed run leaves: it was never acted upon. Undefined where no whole entry
 * is there: that run never began. @throws PB_JOURNAL_BROKEN, PB_JOURNAL_NEWER
 */
export async function readJournal(path: string): Promise<ReadJournal | undefined> {
  return parseJournal(await readFile(path, "utf8"), path);
}

/** How a run began, and how it ended where it did: the journal of a large run is megabytes. */
export interface Ends {
  readonly begun: Begun;
  readonly over: EntryOf<"over"> | undefined;
  /** Whether anything was about to be changed between the two. */
  readonly changing: boolean;
}

/** The ends alone are looked at closely. @throws PB_JOURNAL_BROKEN, PB_JOURNAL_NEWER */
export async function readEnds(path: string): Promise<Ends | undefined> {
  const text = await readFile(path, "utf8");
  const begun = parseJournal(text.slice(0, text.indexOf("\n") + 1), path)?.begun;
  if (begun === undefined) return undefined;
  const [, over] = /\n(\{"type":"over".*)\n$/.exec(text.slice(-LONGEST_END)) ?? [];
  const last = over === undefined ? undefined : Entry.safeParse(JSON.parse(over)).data;
  return {
    begun,
    over: last?.type === "over" ? last : undefined,
    changing: text.includes(`\n{"type":"intent"`),
  };
}

/** How a run began, without reading on. @throws PB_JOURNAL_BROKEN, PB_JOURNAL_NEWER */
export async function readBeginning(path: string): Promise<Begun | undefined> {
  await using file = await open(path);
  for await (const line of file.readLines({ autoClose: false }))
    return parseJournal(`${line}\n`, path)?.begun;
  return undefined;
}

/** The same for text. */
export function parseJournal(text: string, path: string): ReadJournal | undefined {
  const lines = text.split("\n");
  const torn = lines.pop() !== "";
  const [first, ...entries] = lines.map((line, index) => parseLine(line, index + 1, path));
  if (first === undefined) return undefined;
  if (first.type !== "begun") throw broken(path, 1, `it is "${first.type}", not "begun"`);
  const again = entries.findIndex(({ type }) => type === "begun");
  if (again >= 0) throw broken(path, again + 2, "a run begins once");
  return { begun: first, entries, torn };
}

/** An entry as its line. */
export const toLine = (entry: Entry): string => `${JSON.stringify(entry)}\n`;

function parseLine(line: string, number: number, path: string): Entry {
  const value = parseJson(line, number, path);
  if (number === 1) checkFormat(value, path);
  const parsed = Entry.safeParse(value);
  if (parsed.success) return parsed.data;
  throw broken(path, number, z.prettifyError(parsed.error).split("\n")[0] ?? "it has another form");
}

function parseJson(line: string, number: number, path: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    if (error instanceof SyntaxError) throw broken(path, number, "it is no JSON");
    throw error;
  }
}

function checkFormat(value: unknown, path: string): void {
  const format = typeof value === "object" && value !== null ? Reflect.get(value, "format") : 0;
  if (typeof format === "number" && format > FORMAT)
    throw new PlaybookError("PB_JOURNAL_NEWER", [path, format, FORMAT]);
}

const broken = (path: string, line: number, why: string) =>
  new PlaybookError("PB_JOURNAL_BROKEN", [path, line, why.replace(/^✖ /, "").replace(/\.$/, "")]);
