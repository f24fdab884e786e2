import { randomBytes } from "node:crypto";
import type { Playbook } from "#engine/dsl/playbook.ts";
import type { JournalFile } from "#engine/journal/appender.ts";
import { runFolder } from "#engine/journal/folder.ts";
import { Journal } from "#engine/journal/journal.ts";
import { outlineInventory, outlineSteps } from "#engine/journal/outline.ts";
import { Printer } from "#engine/journal/print.ts";
import { parseJournal } from "#engine/journal/read.ts";
import { earlierOf, type RunRecord, recordOf } from "#engine/journal/record.ts";
import { makePlan } from "#engine/plan/expand.ts";
import { inventoryOf, type Played, play, type Stage } from "./play.ts";
import { settled } from "./virtual-clock.ts";

/** A journal's file in memory. Once so many bytes are on it, or so many times synced, its writer is dead: nothing comes back. */
export class DyingDisk implements JournalFile {
  text = Buffer.alloc(0);
  syncs = 0;
  closed = false;
  readonly #bytes: number;
  readonly #syncs: number;
  /** Resolves when the writer dies. */
  readonly death = Promise.withResolvers<"dead">();

  constructor({
    bytes = Number.POSITIVE_INFINITY,
    syncs = Number.POSITIVE_INFINITY,
  }: { readonly bytes?: number; readonly syncs?: number } = {}) {
    this.#bytes = bytes;
    this.#syncs = syncs;
  }

  async write(bytes: Uint8Array) {
    const left = this.#bytes - this.text.length;
    this.text = Buffer.concat([this.text, bytes.subarray(0, Math.max(0, left))]);
    if (bytes.length > left) await this.#die();
    return { bytesWritten: bytes.length };
  }

  async datasync() {
    this.syncs += 1;
    if (this.syncs > this.#syncs) await this.#die();
  }

  async truncate(length: number) {
    this.text = this.text.subarray(0, length);
  }

  async close() {
    this.closed = true;
  }

  /** What the file says happened; undefined where nothing was begun. */
  record(): RunRecord | undefined {
    const read = parseJournal(this.text.toString("utf8"), "journal.jsonl");
    return read === undefined ? undefined : recordOf(read);
  }

  #die(): Promise<never> {
    this.death.resolve("dead");
    return new Promise(() => undefined);
  }
}

export interface JournaledStage extends Omit<Stage, "hosts" | "resumes"> {
  readonly hosts: Exclude<Stage["hosts"], undefined | readonly string[]>;
  readonly file?: JournalFile;
  readonly resumes?: RunRecord | undefined;
}

/** Plays a playbook with a journal, as the command line does; "dead" where its writer died on the way. */
export async function playJournaled(
  playbook: Playbook,
  { file = new DyingDisk(), resumes, ...stage }: JournaledStage,
): Promise<Played | "dead"> {
  const inventory = inventoryOf(Object.keys(stage.hosts), stage);
  const plan = makePlan({ playbook, inventory, params: stage.params ?? {} });
  const printer = new Printer(randomBytes(32));
  const death =
    file instanceof DyingDisk ? file.death.promise : new Promise<"dead">(() => undefined);
  const beginning = {
    run: "2026-11-26-220159-k3f9",
    ...(resumes === undefined ? {} : { resumes: resumes.begun.run }),
    engine: "0.1.0",
    playbook: plan.playbook,
    sources: {},
    steps: outlineSteps(plan, printer),
    inventory: outlineInventory(inventory, printer),
    asked: { playbook: "test.ts", cwd: "/", params: {}, secretParams: [] },
    by: { pid: 1, started: "boot/1", user: "root", machine: "ops" },
    owed: [...(resumes?.owed ?? [])],
    doubts: [...(resumes?.doubts ?? [])],
  };
  const running = (async () => {
    const journal = await Journal.begin(beginning, {
      folder: runFolder("/nowhere", "2026-11-26-220159-k3f9"),
      now: () => Date.UTC(2026, 10, 26, 22, 1),
      open: async () => file,
    });
    const played = await play(playbook, {
      ...stage,
      witnesses: [journal.witness],
      hear: journal.emit,
      ...(resumes === undefined ? {} : { earlier: earlierOf(resumes) }),
    });
    await journal.close();
    return played;
  })();
  const ended = await Promise.race([running, death]);
  // What the dead one had begun on its hosts may still come to its end there.
  if (ended === "dead") await settled();
  return ended;
}
