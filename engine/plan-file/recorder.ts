import type { Plan, PlanNode } from "../plan/plan.ts";
import type { Secrets } from "../plan/secrets.ts";
import type { Ended } from "../run/ended.ts";
import type { Finding, Witness } from "../run/witness.ts";
import { type Call, declaredBy, keptSecrets } from "./declared.ts";
import { type Keeping, type KeptFinding, keep } from "./finding.ts";
import type { PlanFile, PlannedNode, PlannedStep } from "./schema.ts";
import { planWords } from "./words.ts";

/** A plan but for what is known only where it is written: its key, its seal, its time. */
export type PlanBody = Omit<PlanFile, "version" | "madeAt" | "nonce" | "key" | "seal">;

/** Writes down what a run under --check finds: what a plan file is made of. */
export class PlanRecorder implements Witness {
  readonly #call: Call;
  readonly #keeping: Keeping;
  readonly #found = new Map<PlanNode, KeptFinding>();
  readonly #ended = new Map<PlanNode, Ended>();
  #known: { readonly plan: Plan; readonly secrets: Secrets } | undefined;

  constructor(call: Call, keeping: Keeping) {
    this.#call = call;
    this.#keeping = keeping;
  }

  async begins(plan: Plan, secrets: Secrets): Promise<void> {
    this.#known = { plan, secrets };
  }

  async found(node: PlanNode, finding: Finding): Promise<void> {
    this.#found.set(node, await keep(finding, this.#keeping));
  }

  ended(node: PlanNode, ended: Ended): void {
    this.#ended.set(node, ended);
  }

  /** Once the run is over. */
  body(): PlanBody {
    if (this.#known === undefined) throw new TypeError("the run has not begun");
    const { plan, secrets } = this.#known;
    const { digests } = this.#keeping;
    const { engine, playbook, limit, only, params, hosts, site, steps } = declaredBy(
      this.#call,
      plan,
      digests,
    );
    const { inventoryFile } = this.#call;
    const planned = plan.steps.map(({ label }) =>
      this.#step(label, plan.nodes, steps[label] ?? ""),
    );
    return {
      plan: planWords(playbook.name, planned),
      engine,
      playbook,
      ...(inventoryFile === undefined ? {} : { inventory: inventoryFile }),
      ...(limit === undefined ? {} : { limit }),
      ...(only === undefined ? {} : { only }),
      params,
      steps: planned,
      secrets: keptSecrets(secrets, digests),
      hosts,
      site,
    };
  }

  #step(label: string, nodes: readonly PlanNode[], declared: string): PlannedStep {
    const own = nodes.filter(({ step }) => step.label === label);
    const hosts = own.map((node) => [node.host.name, this.#node(node)] as const);
    return { step: label, hosts: Object.fromEntries(hosts), declared };
  }

  #node(node: PlanNode): PlannedNode {
    const ended = this.#ended.get(node);
    if (ended === undefined || ended.outcome === "changed")
      throw new TypeError(`"${node.step.label}" on ${node.host.name} did not end as under --check`);
    const { outcome, pending, error, why = error?.message } = ended;
    const { changes, ...digests } = this.#found.get(node) ?? { changes: undefined };
    return {
      outcome,
      ...(why === undefined ? {} : { why }),
      ...(outcome === "unknown" && pending !== undefined ? { waitsFor: pending } : {}),
      ...(outcome === "would-change" ? { changes: [...(changes ?? [])] } : {}),
      ...digests,
    };
  }
}
