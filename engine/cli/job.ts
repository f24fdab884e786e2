import type { Inventory } from "../dsl/inventory.ts";
import type { Playbook } from "../dsl/playbook.ts";
import type { RunRecord } from "../journal/record.ts";
import type { PlanFile } from "../plan-file/schema.ts";
import type { Io } from "./io.ts";
import type { CliOptions } from "./options.ts";

/** A run as the command line asks for it, everything loaded. */
export interface Job {
  /** The word that named the playbook. */
  readonly word: string;
  readonly playbook: Playbook;
  readonly inventory: Inventory;
  readonly options: CliOptions;
  readonly io: Io;
  /** Asks the operator for a secret; undefined where nobody is there to answer. */
  readonly ask: (question: string) => Promise<string | undefined>;
  /** The plan file that it is held to. */
  readonly applied?: PlanFile;
  /** The run that this one goes on with. */
  readonly resumes?: RunRecord;
}
