import { isPlaybookError } from "../errors/error.ts";
import type { Command } from "../host/command.ts";
import type { Connection, RunResult } from "../host/connection.ts";
import type { Question } from "../host/host.ts";

/** Who asks: how it runs commands, and what tells those apart that run them otherwise. */
export interface Asker {
  readonly run: (command: Command) => Promise<RunResult>;
  readonly key: string;
}

interface Batch {
  readonly about: Set<string>;
  readonly answers: Promise<ReadonlyMap<string, string>>;
}

/** What is asked of each host in this tick. */
const open = new WeakMap<Connection, Map<string, Batch>>();

/**
 * The answer about one thing, where reads of the same tick ask the same about others too and one command answers for
 * all. Undefined where it is to be asked alone: nobody else asks, or the common answer cannot be told apart.
 */
export async function askedTogether(
  connection: Connection,
  question: Question,
  about: string,
  asker: Asker,
): Promise<string | undefined> {
  const batches = open.get(connection) ?? new Map<string, Batch>();
  open.set(connection, batches);
  const key = `${question.name}\0${asker.key}`;
  const batch = batches.get(key) ?? begin(question, asker, () => batches.delete(key));
  batches.set(key, batch);
  batch.about.add(about);
  return (await batch.answers).get(about);
}

function begin(question: Question, { run }: Asker, sent: () => void): Batch {
  const about = new Set<string>();
  const { promise, resolve } = Promise.withResolvers<ReadonlyMap<string, string>>();
  // After all that this tick still asks, promise continuations included.
  setImmediate(() => {
    sent();
    resolve(answersTo(question, [...about], run));
  });
  return { about, answers: promise };
}

async function answersTo(
  question: Question,
  about: readonly string[],
  run: Asker["run"],
): Promise<ReadonlyMap<string, string>> {
  if (about.length < 2) return new Map();
  try {
    const { code, stdout } = await run(question.command(about));
    const parts = code === 0 ? question.split(stdout) : [];
    if (parts.length !== about.length) return new Map();
    return new Map(about.map((item, index) => [item, parts[index] ?? ""]));
  } catch (error) {
    if (!isPlaybookError(error)) throw error;
    // Each finds out for itself what is wrong.
    return new Map();
  }
}
