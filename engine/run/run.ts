import type { Inventory } from "../dsl/inventory.ts";
import type { Playbook } from "../dsl/playbook.ts";
import { PlaybookError } from "../errors/error.ts";
import { makePlan } from "../plan/expand.ts";
import type { Plan, PlanNode } from "../plan/plan.ts";
import { readSecrets } from "../plan/secrets.ts";
import type { RunContext } from "./context.ts";
import { controlMachine } from "./control-machine.ts";
import type { Ended } from "./ended.ts";
import { Hosts } from "./hosts.ts";
import { Ledger } from "./ledger.ts";
import { runNode } from "./node.ts";
import type { RunOptions } from "./options.ts";
import { type Recap, Tally } from "./recap.ts";
import { Schedule } from "./schedule.ts";
import { judge } from "./verdict.ts";

/** Raw params: text of `--param name=value`, or typed values. */
export type RawParams = Readonly<Record<string, unknown>>;

/** What a run would consist of, without any connection: for --list, --graph and the question to the operator. */
export function plan(
  playbook: Playbook,
  inventory: Inventory,
  options: Pick<RunOptions, "limit" | "only"> & { readonly params?: RawParams } = {},
): Plan {
  const { params = {}, limit, only } = options;
  return makePlan({ playbook, inventory, params }, { limit, only });
}
