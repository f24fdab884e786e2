import { PlaybookError } from "../errors/error.ts";
import type { Plan, PlanNode } from "../plan/plan.ts";
import type { Secrets } from "../plan/secrets.ts";
import type { Ended } from "../run/ended.ts";
import type { Finding, Witness } from "../run/witness.ts";
import { secretDifferences } from "./compare.ts";
import { keptSecrets } from "./declared.ts";
import type { Keeping } from "./finding.ts";
import { Pass } from "./pass.ts";
import type { PlanFile } from "./schema.ts";

/** Lets a run make what a plan announces and nothing else: a node that finds anything else fails, untouched. */
export class PlanKeeper implements Witness {
  readonly #path: string;
  readonly #file: PlanFile;
  readonly #keeping: Keeping;
  readonly #looking: Pass;
  readonly #running: Pass;
  readonly #drifted = new Map<PlanNode, PlaybookError>();
  readonly #held = new Set<PlanNode>();

  constructor(path: string, file: PlanFile, keeping: Keeping) {
    this.#path = path;
    this.#file = file;
    this.#keeping = keeping;
    this.#looking = new Pass(file, keeping);
    this.#running = new Pass(file, keeping);
  }

  /**
   * For the look before the first change. Once the run has changed a host, what drifted before that cannot be told any
   * more from what the run itself has done to what comes later.
   */
  readonly look: Witness = {
    begins: async (plan) => this.#looking.begins(plan),
    found: async (node, finding) => {
      const error = await this.#looking.refusal(node, finding, true);
      if (error === undefined) this.#held.add(node);
      else this.#drifted.set(node, error);
    },
    ended: (node, ended) => this.#looking.ended(node, ended),
  };

  async begins(plan: Plan, secrets: Secrets): Promise<void> {
    this.#running.begins(plan);
    const now = keptSecrets(secrets, this.#keeping.digests);
    refuseStale(this.#path, secretDifferences(this.#file.secrets, now));
  }

  async found(node: PlanNode, finding: Finding): Promise<void> {
    if (finding.changes.length === 0) return;
    const mayMove = !this.#looking.isOn || this.#held.has(node);
    const error = this.#drifted.get(node) ?? (await this.#running.refusal(node, finding, mayMove));
    if (error !== undefined) throw error;
  }

  async changing(node: PlanNode): Promise<void> {
    this.#running.changing(node);
  }

  ended(node: PlanNode, ended: Ended): void {
    this.#running.ended(node, ended);
  }
}

/** @throws PB_PLAN_STALE where there is any difference */
export function refuseStale(path: string, differences: readonly string[]): void {
  if (differences.length === 0) return;
  const output =
    differences.length <= MOST
      ? differences
      : [...differences.slice(0, MOST - 1), `and ${differences.length - MOST + 1} more`];
  throw new PlaybookError("PB_PLAN_STALE", [path, differences], { output });
}

/** Lines that an error shows. */
const MOST = 20;
