import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { z } from "zod";
import { type Playbook, playbook } from "#engine/dsl/playbook.ts";
import { FakeHost } from "#engine/host/fake/host.ts";
import { differences } from "#engine/plan-file/compare.ts";
import { type Call, declaredBy } from "#engine/plan-file/declared.ts";
import { newPlan, readPlan, unlock, writePlan } from "#engine/plan-file/disk.ts";
import { PlanKeeper } from "#engine/plan-file/keeper.ts";
import { readOrMakeKey } from "#engine/plan-file/key.ts";
import { PlanRecorder } from "#engine/plan-file/recorder.ts";
import type { PlanFile } from "#engine/plan-file/schema.ts";
import { plan } from "#engine/run/run.ts";
import { type Declare, inventoryOf, type Played, play, type Stage } from "./play.ts";
import { scratchFolder } from "./scratch.ts";

/** What a plan is made of, and where. */
export interface PlanStage extends Omit<Stage, "hosts" | "params"> {
  readonly hosts: Readonly<Record<string, FakeHost>>;
  readonly params?: Readonly<Record<string, string>>;
  readonly schema?: z.ZodObject;
  readonly engine?: string;
  /** The content's hash of a file of the control machine; in memory, as the clock does not wait for a disk. */
  readonly hashOf?: (path: string) => Promise<string>;
}

/** Hosts with settings already on them: { h1: { a: "1" } } has /etc/setting-a on h1. */
export const hostsWith = (settings: Readonly<Record<string, Readonly<Record<string, string>>>>) =>
  Object.fromEntries(
    Object.entries(settings).map(([name, files]) => {
      const host = new FakeHost();
      for (const [file, content] of Object.entries(files))
        host.files.put(`/etc/setting-${file}`, content);
      return [name, host] as const;
    }),
  );

const playbookOf = (declare: Declare, schema: z.ZodObject | undefined): Playbook =>
  playbook(
    "test",
    { groups: ["nodes"], ...(schema === undefined ? {} : { params: schema }) },
    (given) => declare({ ...(given as unknown as Parameters<Declare>[0]), nodes: given.all }),
  );

/** Checks hosts in memory and writes the plan to a real file; `await using`, as the file's folder goes with it. */
export async function planned(declare: Declare, stage: PlanStage) {
  const folder = await scratchFolder();
  const path = join(folder.dir, "plan.json");
  const keyFile = join(folder.dir, "elsewhere/plan.key");
  const made = newPlan(await readOrMakeKey(keyFile));
  const hashOf = stage.hashOf ?? (async () => "no file");
  const recorder = new PlanRecorder(callOf(declare, stage), { digests: made.digests, hashOf });
  const options = { ...stage, mode: "check", witnesses: [recorder] } as const;
  const checked = await play(playbookOf(declare, stage.schema), options);
  await writePlan(path, recorder.body(), { ...made, madeAt: 0 });

  /** What is called for now: another declaration, other params, another engine. */
  const now = async (other: Declare = declare, changed: Partial<PlanStage> = {}) => {
    const file = await readPlan(path);
    const digests = await unlock(path, file, keyFile);
    const call = callOf(other, { ...stage, ...changed });
    const nodes = plan(call.playbook, call.inventory, {
      params: call.params,
      ...(call.limit && { limit: call.limit }),
    });
    return { file, digests, differences: differences(file, declaredBy(call, nodes, digests)) };
  };
  return {
    path,
    keyFile,
    checked,
    now,
    text: () => readFile(path, "utf8"),
    node: (step: string, host = "h1"): Promise<PlanFile["steps"][number]["hosts"][string]> =>
      readPlan(path).then(
        ({ steps }) => steps.find((each) => each.step === step)?.hosts[host] ?? Promise.reject(),
      ),
    async apply(changed: Partial<Stage> = {}): Promise<Played> {
      const { file, digests } = await now();
      const keeper = new PlanKeeper(path, file, { digests, hashOf });
      const look = changed.mode === "check" ? {} : { lookFirst: keeper.look };
      return play(playbookOf(declare, stage.schema), {
        ...stage,
        ...changed,
        ...look,
        witnesses: [keeper],
      });
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

const callOf = (declare: Declare, stage: PlanStage): Call => ({
  engine: stage.engine ?? "1.0.0",
  file: "test.ts",
  playbook: playbookOf(declare, stage.schema),
  inventoryFile: undefined,
  inventory: inventoryOf(Object.keys(stage.hosts), { groups: { nodes: Object.keys(stage.hosts) } }),
  params: stage.params ?? {},
  limit: stage.limit,
  only: stage.only,
});
