import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import type { Outcome, RunEvent } from "#engine/report/event.ts";
import type { Recap } from "#engine/run/recap.ts";
import { bin, root } from "./cli.ts";
import type { Death } from "./deaths.ts";

export interface EngineSurroundings {
  readonly env?: Readonly<Record<string, string>>;
  /** When it dies by itself. */
  readonly death?: Death | undefined;
}

/** The command line as a process that a test watches and ends as it likes. */
export class EngineProcess implements AsyncDisposable {
  readonly events: RunEvent[] = [];
  readonly child: ChildProcess;
  /** What it said beside its events. */
  said = "";

  constructor(args: readonly string[], { env = {}, death }: EngineSurroundings = {}) {
    const entry = death === undefined ? bin : join(root, "test/support/dying-engine.ts");
    this.child = spawn(process.execPath, [entry, ...args, "--output", "json"], {
      cwd: root,
      env: {
        ...process.env,
        ...env,
        ...(death && { RUN_PLAYBOOK_TEST_DEATH: JSON.stringify(death) }),
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const { stdout, stderr } = this.child;
    if (stdout === null || stderr === null) throw new Error("it has pipes");
    stderr.setEncoding("utf8").on("data", (text: string) => {
      this.said += text;
    });
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
          `it did not come: ${this.events.map((event) => JSON.stringify(event)).join("\n")}\n${this.said}`,
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
  async ended(seconds = 120): Promise<{ code: number | null; recap: Recap | undefined }> {
    const signal = AbortSignal.timeout(seconds * 1000);
    if (!this.isOver) await once(this.child, "close", { signal });
    const last = this.events.at(-1);
    return { code: this.child.exitCode, recap: last?.type === "recap" ? last : undefined };
  }

  /** Whether it died before its end. */
  get isKilled(): boolean {
    return this.child.signalCode === "SIGKILL";
  }

  /** The steps that ended so, as "step on host". */
  nodes(outcome: Outcome): string[] {
    return this.events.flatMap((event) =>
      event.type === "node-finished" && event.outcome === outcome
        ? [`${event.step} on ${event.host}`]
        : [],
    );
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
