import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import type { RunEvent } from "#engine/report/event.ts";
import type { Recap } from "#engine/run/recap.ts";
import { root } from "./cli.ts";

/** The command line as a process that a test watches and ends as it likes. */
export class EngineProcess implements AsyncDisposable {
  readonly events: RunEvent[] = [];
  readonly child: ChildProcess;

  constructor(args: readonly string[]) {
    this.child = spawn(
      process.execPath,
      [
        "--conditions=@run-playbook/source",
        join(root, "engine/cli/bin.ts"),
        ...args,
        "--output",
        "json",
      ],
      { cwd: root, stdio: ["ignore", "pipe", "inherit"] },
    );
    const { stdout } = this.child;
    if (stdout === null) throw new Error("it has a pipe");
    createInterface({ input: stdout }).on("line", (line) => {
      if (line.startsWith("{")) this.events.push(JSON.parse(line) as RunEvent);
    });
  }

  /** The run's id, once it started. */
  async id(): Promise<string> {
    await this.until(({ type }) => type === "run-started");
    const [first] = this.events;
    if (first?.type !== "run-started") throw new Error("a run starts first");
    return first.id;
  }

  /** Waits for an event. @throws where it does not come in time */
  async until(wanted: (event: RunEvent) => boolean, seconds = 60): Promise<void> {
    const deadline = Date.now() + seconds * 1000;
    while (!this.events.some(wanted)) {
      if (Date.now() > deadline || this.isOver)
        throw new Error(
          `it did not come: ${this.events.map((event) => JSON.stringify(event)).join("\n")}`,
        );
      await sleep(50);
    }
  }

  /** Waits until a host is at work on a change of a step. */
  atWork(step: string, host: string): Promise<void> {
    return this.until(
      (event) => event.type === "change" && event.step === step && event.host === host,
    );
  }

  get isOver(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Its exit code, and the last event. */
  async ended(): Promise<{ code: number | null; recap: Recap | undefined }> {
    if (!this.isOver) await once(this.child, "close", { signal: AbortSignal.timeout(120_000) });
    const last = this.events.at(-1);
    return { code: this.child.exitCode, recap: last?.type === "recap" ? last : undefined };
  }

  /** Ends it as a power cut would, and waits until it is gone. */
  async kill(): Promise<void> {
    if (this.isOver) return;
    const gone = once(this.child, "close");
    this.child.kill("SIGKILL");
    await gone;
  }

  /** Why a host was given up. */
  refusal(host: string) {
    const event = this.events.find(
      (each) => each.type === "host-unreachable" && each.host === host,
    );
    return event?.type === "host-unreachable" ? event.error : undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}
