import { resolve } from "node:path";
import { PlaybookError } from "../errors/error.ts";
import { LocalFiles } from "../host/shell/local-files.ts";
import type { Plan } from "../plan/plan.ts";
import { differences } from "../plan-file/compare.ts";
import { type Call, declaredBy } from "../plan-file/declared.ts";
import { checkWritable, newPlan, readPlan, unlock, writePlan } from "../plan-file/disk.ts";
import { PlanKeeper, refuseStale } from "../plan-file/keeper.ts";
import { readOrMakeKey, usualKeyFile } from "../plan-file/key.ts";
import { PlanRecorder } from "../plan-file/recorder.ts";
import type { PlanFile } from "../plan-file/schema.ts";
import type { Recap } from "../run/recap.ts";
import type { Witness } from "../run/witness.ts";
import type { Job } from "./job.ts";
import { inventoryOfLab } from "./lab.ts";
import type { CliOptions } from "./options.ts";
import { packageVersion } from "./package-root.ts";
import { parseParams } from "./params.ts";

/** What is called for once a plan file has said its part. */
export interface Named {
  readonly given: string | undefined;
  readonly options: CliOptions;
  readonly applied?: PlanFile;
}

/** Fills in from a plan file what the command line leaves open; what stands in both is compared later. */
export async function namedByPlan(
  given: string | undefined,
  options: CliOptions,
  cwd: string,
): Promise<Named> {
  const { planOut, applyPlan } = options;
  if (planOut !== undefined && applyPlan !== undefined)
    throw new PlaybookError("PB_USAGE", ["--plan-out makes a plan and --apply-plan applies one."]);
  if (applyPlan === undefined) return { given, options: { ...options, check: true } };
  const applied = await readPlan(resolve(cwd, applyPlan));
  if (options.list === true) return { given, options, applied };
  const { playbook, inventory, limit, only, params } = applied;
  return {
    given: given ?? playbook.file,
    options: {
      ...options,
      ...(options.lab === undefined && options.inventory === undefined && inventory !== undefined
        ? { inventory }
        : {}),
      ...(options.limit === undefined && limit !== undefined ? { limit } : {}),
      ...(options.only === undefined && only !== undefined ? { only } : {}),
      param: withParams(options.param ?? [], params),
    },
    applied,
  };
}

function withParams(given: readonly string[], planned: PlanFile["params"]): readonly string[] {
  const named = parseParams(given);
  const open = Object.entries(planned).filter(([name]) => named[name] === undefined);
  const secrets = open.filter(([, value]) => typeof value !== "string").map(([name]) => name);
  if (secrets.length > 0)
    throw new PlaybookError("PB_USAGE", [
      `The plan holds only a keyed hash of ${secrets.map((name) => `--param ${name}`).join(", ")}: give it again.`,
    ]);
  return [...given, ...open.map(([name, value]) => `${name}=${value}`)];
}

/** A run that makes a plan file, or applies one. */
export interface PlanFileRun {
  readonly options: { readonly witnesses: readonly Witness[]; readonly lookFirst?: Witness };
  /** Once the run is over; gives what the operator is told. */
  finish(recap: Recap): Promise<string | undefined>;
}

/** Prepares a run for its plan file; what is wrong with that is said before anybody is asked or any host touched. */
export async function planFileRun(job: Job, plan: Plan): Promise<PlanFileRun> {
  const { options, applied, io } = job;
  const keyFile =
    options.planKey === undefined ? usualKeyFile(io.env) : resolve(io.cwd, options.planKey);
  const files = new LocalFiles();
  const hashOf = (path: string) => files.with(path, (content) => content.sum("sha256"));
  const call = callOf(job);
  if (applied !== undefined) {
    const path = options.applyPlan ?? "";
    const digests = await unlock(path, applied, keyFile);
    refuseStale(path, differences(applied, declaredBy(call, plan, digests)));
    const keeper = new PlanKeeper(path, applied, { digests, hashOf });
    const look = options.check === true ? {} : { lookFirst: keeper.look };
    return { options: { witnesses: [keeper], ...look }, finish: async () => undefined };
  }
  const path = options.planOut ?? "";
  await checkWritable(resolve(io.cwd, path));
  const made = newPlan(await readOrMakeKey(keyFile));
  const recorder = new PlanRecorder(call, { digests: made.digests, hashOf });
  return {
    options: { witnesses: [recorder] },
    finish: async ({ exitCode, at }) => {
      if (exitCode === 130) return `No plan was written to ${path}: the run was interrupted.`;
      await writePlan(resolve(io.cwd, path), recorder.body(), { ...made, madeAt: at });
      return `The plan is in ${path}. To apply it: run-playbook --apply-plan ${path}`;
    },
  };
}

function callOf({ word, playbook, inventory, options }: Job): Call {
  const { lab, limit, only, param = [] } = options;
  return {
    engine: packageVersion(),
    file: word,
    playbook,
    inventory,
    inventoryFile: lab === undefined ? options.inventory : inventoryOfLab(lab),
    params: parseParams(param),
    limit,
    only,
  };
}
