import type { Command } from "./command.ts";
import type { FileStat, RunResult } from "./connection.ts";

/** What was found out about a host when it was first reached, in one round trip. */
export interface Facts {
  readonly hostname: string;
  readonly os: { readonly id: string; readonly version: string; readonly codename: string };
  /** As Go and Debian name it: amd64, arm64, … */
  readonly arch: string;
  readonly kernel: string;
  readonly cgroup: "v1" | "v2";
  readonly bootId: string;
  /** MiB. */
  readonly memory: number;
  readonly cpus: number;
}

/** A question that one command can answer about many things. */
export interface Question {
  /** Unique: questions of one name are put together. */
  readonly name: string;
  command(about: readonly string[]): Command;
  /** What was printed about each of several, in their order. */
  split(stdout: string): readonly string[];
}

/**
 * A host as a module's read() sees it. Nothing in here changes the host: changes are what diff() yields. The step's
 * user, environment and deadline are already applied.
 */
export interface Host {
  /** The inventory's name. */
  readonly name: string;
  readonly facts: Facts;
  /** Any exit code is an answer. */
  run(command: Command): Promise<RunResult>;
  /** Standard output without its last newline; any exit code but 0 is PB_COMMAND_FAILED. */
  text(command: Command): Promise<string>;
  /**
   * What the question's command prints about one thing, as text() gives it. What reads of one tick ask with the same
   * question is asked with one command, for starting programs is most of what a look costs on the host.
   */
  ask(question: Question, about: string): Promise<string>;
  /** Without loss: a byte that is no UTF-8 is one of U+DC80 to U+DCFF, and is that byte again where it is written. */
  readFile(path: string): Promise<string | undefined>;
  stat(path: string): Promise<FileStat | undefined>;
  /** Hex, or undefined where no file is. */
  sha256(path: string): Promise<string | undefined>;
}
