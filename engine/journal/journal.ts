import { open } from "node:fs/promises";
import { showChange } from "../converge/shown-change.ts";
import type { Change } from "../dsl/change.ts";
import { toMs } from "../dsl/duration.ts";
import { redact } from "../dsl/masking.ts";
import type { PlanNode } from "../plan/plan.ts";
import type { Emit } from "../report/event.ts";
import type { Ended } from "../run/ended.ts";
import type { Witness } from "../run/witness.ts";
import { Appender, type JournalFile } from "./appender.ts";
import { orUnwritable, type RunFolder, removeRunFolder } from "./folder.ts";
import { type Begun, type Entry, FORMAT } from "./format.ts";
import { toLine } from "./read.ts";

/** What a journal begins with; the rest of its first entry is always the same. */
export type Beginning = Omit<Begun, "type" | "format" | "at">;

export interface JournalOptions {
  readonly folder: RunFolder;
  readonly now: () => number;
  /** Opens the file for appending; the system's own unless given. */
  readonly open?: (path: string) => Promise<JournalFile>;
}

/** The record of one run, written while it goes on: a witness of its nodes, and a listener of its events. */
export class Journal {
  readonly witness: Omit<Required<Witness>, "begins">;
  readonly #appender: Appender;
  readonly #options: JournalOptions;
  readonly #startedAt = new Map<string, number>();
  #started = false;
  /** The last entry, on its way. */
  #over: Promise<void> | undefined;

  private constructor(appender: Appender, options: JournalOptions) {
    this.#appender = appender;
    this.#options = options;
    this.witness = {
      found: async (node, { changes, keeping = {} }) => {
        const words = changes.flatMap(showChange).map(({ say }) => say);
        const undo =
          "sha256" in keeping
            ? { kept: keeping.sha256 }
            : "unkept" in keeping
              ? { unkept: redact(keeping.unkept) }
              : {};
        void this.#note({ type: "found", ...this.#about(node), changes: words, ...undo });
      },
      changing: (node, index, change) => this.#intend(node, index, change),
      changed: (node, index) => this.#write({ type: "done", ...this.#about(node), index }),
      undoing: (node, index, change) => this.#intend(node, index, change, { undo: true }),
      undone: (node, index) => this.#write({ type: "done", ...this.#about(node), index }),
      ended: (node, ended) => this.#end(node, ended),
    };
  }

  /** Begins the journal of a run in its new folder: once this resolves, the run may start. @throws PB_JOURNAL_UNWRITABLE */
  static async begin(beginning: Beginning, options: JournalOptions): Promise<Journal> {
    const { folder, now, open: opened = (path) => open(path, "a") } = options;
    const file = await orUnwritable(folder.journal, () => opened(folder.journal));
    const journal = new Journal(new Appender(file, 0), options);
    try {
      await journal.#write({ type: "begun", format: FORMAT, at: now(), ...beginning }, true);
      return journal;
    } catch (error) {
      await file.close().finally(() => removeRunFolder(folder));
      throw error;
    }
  }

  /** Takes note of events that no witness hears. */
  readonly emit: Emit = (event) => {
    if (event.type === "run-started") this.#started = true;
    if (event.type === "node-started") {
      const { at, step, host } = event;
      this.#startedAt.set(idOf(step, host), at);
      void this.#note({ type: "started", at, step, host });
    }
    if (event.type === "recap") {
      const { at, exitCode, durationMs: ms, ok, changed, failed, skipped, unreachable } = event;
      const counts = { ok, changed, failed, skipped, unreachable };
      this.#over = this.#note({ type: "over", at, exitCode, ms, counts });
    }
  };

  /** Takes note that the run was asked to stop, and by what. */
  stopping(why: string): void {
    void this.#note({ type: "stopping", at: this.#options.now(), why });
  }

  /**
   * Once the run is over and its end is on the disk. A run that was refused before it started leaves nothing behind.
   * @throws PB_JOURNAL_UNWRITABLE
   */
  async close(): Promise<void> {
    const { folder } = this.#options;
    await orUnwritable(folder.journal, () => this.#appender.close());
    await this.#over;
    if (!this.#started) await removeRunFolder(folder);
  }

  #intend(
    node: PlanNode,
    index: number,
    change: Change,
    mark: { readonly undo?: true } = {},
  ): Promise<void> {
    const { op } = change;
    const about = this.#about(node);
    const until =
      op === "guarded" || op === "reboot" ? { until: about.at + toMs(change.within) } : {};
    return this.#write(
      { type: "intent", ...about, index, op, say: redact(change.say), ...until, ...mark },
      true,
    );
  }

  #end(node: PlanNode, { outcome, changes, why, root, error, undone }: Ended): void {
    const about = this.#about(node);
    const began = this.#startedAt.get(idOf(about.step, about.host));
    void this.#note({
      type: "ended",
      ...about,
      outcome,
      changes,
      ms: began === undefined ? 0 : about.at - began,
      ...(why === undefined ? {} : { why: redact(why) }),
      ...(root === undefined ? {} : { root: redact(root) }),
      ...(error === undefined ? {} : { code: error.code, message: redact(error.message) }),
      ...(undone === undefined ? {} : { undone }),
    });
  }

  // Whoever waits for a later line waits for this one, too, and hears where none can be written.
  #note(entry: Entry): Promise<void> {
    const written = this.#write(entry);
    written.catch(() => undefined);
    return written;
  }

  async #write(entry: Entry, sync = false): Promise<void> {
    const line = toLine(entry);
    await orUnwritable(this.#options.folder.journal, () => this.#appender.append(line, { sync }));
  }

  #about({ step, host }: PlanNode) {
    return { at: this.#options.now(), step: step.label, host: host.name };
  }
}

const idOf = (step: string, host: string): string => `${step}\0${host}`;
