import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { loginName } from "../host/login.ts";
import { identify } from "../host/process-identity.ts";
import type { Outline } from "../journal/differences.ts";
import { makeRunFolder, runsFolder } from "../journal/folder.ts";
import type { Asked, Begun } from "../journal/format.ts";
import { Journal } from "../journal/journal.ts";
import { outlineInventory, outlineSteps } from "../journal/outline.ts";
import { pruneRuns } from "../journal/prune.ts";
import { lineOf, type RunRecord } from "../journal/record.ts";
import { claim } from "../journal/runs.ts";
import { KeyedHash } from "../keyed-hash/keyed-hash.ts";
import type { Plan } from "../plan/plan.ts";
import { secretParams } from "../plan/playbook-params.ts";
import type { Io } from "./io.ts";
import type { Job } from "./job.ts";
import { packageVersion } from "./package-root.ts";
import { userFiles } from "./resolve-hook.ts";

interface Beginning {
  readonly id: string;
  readonly plan: Plan;
  /** As given on the command line. */
  readonly params: Readonly<Record<string, string>>;
  readonly now: () => number;
}

/** Begins the journal of a run that is about to start. @throws PB_JOURNAL_UNWRITABLE, PB_RUN_RESUMED */
export async function beginJournal(
  job: Job,
  { id, plan, params, now }: Beginning,
): Promise<Journal> {
  const { io, resumes } = job;
  const runs = runsFolder(io.env);
  const [folder, key] = await makeRunFolder(runs, id);
  const beginning = {
    run: id,
    ...(resumes === undefined ? {} : resuming(resumes)),
    playbook: plan.playbook,
    ...outlineOf(job, plan, key),
    asked: askedFor(job, params),
    by: await whoRuns(io),
    owed: [...(resumes?.owed ?? [])],
    doubts: [...(resumes?.doubts ?? [])],
  };
  const journal = await Journal.begin(beginning, { folder, now });
  await pruneRuns(runs, now());
  try {
    if (resumes !== undefined) await claim(runs, resumes.begun.run, id);
  } catch (error) {
    await journal.close();
    throw error;
  }
  return journal;
}

const resuming = ({ begun }: RunRecord) => {
  const [resumes = begun.run, ...before] = lineOf(begun);
  return { resumes, before };
};

/** What a run is compared by with a later one, printed with a run's key. */
export function outlineOf({ inventory }: Job, plan: Plan, key: Uint8Array): Outline {
  const hashes = new KeyedHash(key);
  return {
    engine: packageVersion(),
    sources: Object.fromEntries(userFiles().map((path) => [path, hashOf(path)])),
    steps: outlineSteps(plan, hashes),
    inventory: outlineInventory(inventory, hashes),
  };
}

const hashOf = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");

function askedFor(
  { word, playbook, options, io, undoes }: Job,
  params: Beginning["params"],
): Asked {
  const { inventory, lab, limit, only, forks, window, applyPlan, planKey } = options;
  const secrets = secretParams(playbook, params);
  const kept = Object.entries(params).filter(([name]) => !secrets.includes(name));
  return {
    playbook: word,
    cwd: io.cwd,
    ...(inventory === undefined ? {} : { inventory }),
    ...(lab === undefined ? {} : { lab }),
    ...(limit === undefined ? {} : { limit: [...limit] }),
    ...(only === undefined ? {} : { only: [...only] }),
    ...(forks === undefined ? {} : { forks }),
    ...(window === undefined ? {} : { window }),
    ...(applyPlan === undefined ? {} : { applyPlan }),
    ...(planKey === undefined ? {} : { planKey }),
    params: Object.fromEntries(kept),
    secretParams: secrets,
    ...(undoes === undefined ? {} : { undoes: undoes.run }),
  };
}

async function whoRuns({ env }: Io): Promise<Begun["by"]> {
  const self = await identify(process.pid);
  if (self === undefined) throw new TypeError("a process that runs can be identified");
  const sudoUser = env["SUDO_USER"];
  const [from] = (env["SSH_CONNECTION"] ?? "").split(" ");
  return {
    ...self,
    user: loginName(),
    ...(sudoUser === undefined ? {} : { sudoUser }),
    machine: hostname(),
    ...(from === undefined || from === "" ? {} : { from }),
  };
}
