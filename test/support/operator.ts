import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Death } from "./deaths.ts";
import { EngineProcess } from "./engine-process.ts";

/** Somebody with runs of his own, some of which die. */
export class Operator {
  /** What keeps his journals apart. */
  readonly env: Readonly<Record<string, string>>;
  readonly #state: string;

  /** The folder of his journals. */
  constructor(state: string) {
    this.#state = state;
    this.env = { XDG_STATE_HOME: state };
  }

  /** Starts the command line; with a death, it comes to that end unless its own is sooner. */
  start(args: readonly string[], death?: Death): EngineProcess {
    return new EngineProcess(args, { env: this.env, death });
  }

  /** The same to its end. @throws after four minutes */
  async run(args: readonly string[], death?: Death): Promise<EngineProcess> {
    await using engine = this.start(args, death);
    await engine.ended(240);
    return engine;
  }

  /** The lines of the newest journal. */
  journal(): string[] {
    const runs = join(this.#state, "run-playbook/runs");
    const name = readdirSync(runs).sort().at(-1) ?? "";
    return readFileSync(join(runs, name, "journal.jsonl"), "utf8")
      .split("\n")
      .slice(0, -1);
  }
}
