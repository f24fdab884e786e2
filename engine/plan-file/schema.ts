import { z } from "zod";

/** What this engine writes and reads; another layout gets another number. */
export const PLAN_VERSION = 1;

const Digest = z.string().regex(/^[\w-]{22}$/, "expected a keyed hash");

export const PlannedChange = z.strictObject({
  say: z.string().describe("The difference in words, as --check says it."),
  does: Digest.describe("All of the change but its words: command, content, path, attributes."),
  replaces: Digest.optional().describe("What a file held that it overwrites."),
  sends: Digest.optional().describe("The content of the control machine's file that it sends."),
});

const PlannedNode = z.strictObject({
  outcome: z.enum([
    "ok",
    "would-change",
    "unknown",
    "cannot-tell",
    "skipped",
    "failed",
    "unreachable",
  ]),
  why: z.string().optional(),
  waitsFor: z.string().optional().describe("The step because of whose change it is unknown."),
  changes: z.array(PlannedChange).optional(),
  read: Digest.optional().describe("What the module read."),
  given: Digest.optional().describe("The module's params, every ref resolved."),
});

const PlannedStep = z.strictObject({
  step: z.string(),
  hosts: z.record(z.string(), PlannedNode),
  declared: Digest.describe("How the playbook declares it."),
});

/** A plan file: what is read by people first, what is only compared last. */
export const PlanFile = z.strictObject({
  plan: z.string().describe("What it comes to, in words."),
  version: z.literal(PLAN_VERSION),
  madeAt: z.iso.datetime(),
  engine: z.string().describe("The version of run-playbook."),
  playbook: z.strictObject({ file: z.string(), name: z.string() }),
  inventory: z.string().optional().describe("Its file; the playbook's own where none is named."),
  limit: z.array(z.string()).optional(),
  only: z.array(z.string()).optional(),
  params: z.record(z.string(), z.union([z.string(), z.strictObject({ secret: Digest })])),
  steps: z.array(PlannedStep),
  secrets: z.record(z.string(), Digest).describe("By where they come from."),
  hosts: z.record(z.string(), Digest).describe("The inventory's entries."),
  site: Digest.describe("The inventory's groups and settings."),
  nonce: z.string(),
  key: Digest.describe("Which key it was made with."),
  seal: Digest.describe("Of all of the above: a plan is applied as it was written, or not at all."),
});

export type PlanFile = z.output<typeof PlanFile>;
export type PlannedChange = z.output<typeof PlannedChange>;
export type PlannedNode = z.output<typeof PlannedNode>;
export type PlannedStep = z.output<typeof PlannedStep>;
