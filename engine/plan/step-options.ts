import { z } from "zod";
import { callsite } from "../dsl/callsite.ts";
import { type Duration, isDuration, toMs } from "../dsl/duration.ts";
import type { HostSet } from "../dsl/host-set.ts";
import { isRef } from "../dsl/ref.ts";
import { PlaybookError } from "../errors/error.ts";
import { describeIssues } from "./issues.ts";

// What the compiler checks for those who use one; Node only strips the types, so that a typo would pass without a word.

const Length = z.custom<Duration>(
  isDuration,
  "expected a duration such as 500ms, 30s, 5m, 2h or 7d",
);
const Positive = Length.refine((text) => toMs(text) > 0, "expected more than nothing");
const Hosts = z.custom<HostSet>(
  (value) => typeof value === "object" && value !== null && "hosts" in value && "name" in value,
  'expected hosts, as groups.workers or host("w1")',
);
const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;
const Edge = z.custom(
  (value) => isObject(value) && ("declared" in value || "each" in value),
  "expected a step, or each(step)",
);
const Edges = z.array(Edge);
const When = z.custom(
  (value) => typeof value === "function" || isRef(value),
  "expected a function of the facts, or an output",
);
const workOf = (kind: "action" | "condition", what: string) =>
  z.custom(
    (value) =>
      typeof value === "function"
        ? !("spec" in value)
        : isObject(value) && Reflect.get(value, "kind") === kind,
    what,
  );
const until = workOf("condition", "expected a probe with its params, or a function that gives one");

const Asked = { until, holdFor: Length.optional(), within: Positive, every: Positive.optional() };
const Common = {
  on: Hosts,
  after: Edges.optional(),
  when: When.optional(),
  as: z.string().optional(),
  via: Hosts.optional(),
};

const Rolling = z.strictObject({
  // Its sizes are checked where their meaning is.
  batch: z.unknown(),
  maxFailed: z.unknown().optional(),
  gate: z.strictObject({ ...Asked, as: Common.as, via: Common.via }).optional(),
});

const Step = z.strictObject({
  ...Common,
  ensure: workOf("action", "expected a module with its params, or a function that gives one"),
  onChange: Edges.optional(),
  onFail: z.union([Edges, z.literal("undo")]).optional(),
  timeout: Positive.optional(),
  retries: z.strictObject({ times: z.int().min(0), delay: Length.optional() }).optional(),
  env: z.record(z.string(), z.string()).optional(),
  rolling: Rolling.optional(),
});

const Gate = z.strictObject({ ...Common, ...Asked });

/** Refuses what no step has, and values of another kind. @throws PB_STEP_INVALID with the playbook's line */
export const checkStep = (label: string, options: unknown): void => check(Step, label, options);

/** The same of a gate. */
export const checkGate = (label: string, options: unknown): void => check(Gate, label, options);

function check(schema: z.ZodType, label: unknown, options: unknown): void {
  const name = typeof label === "string" ? label.trim() : "";
  const parsed = schema.safeParse(options);
  if (name !== "" && parsed.success) return;
  const why = parsed.success ? "its label is empty" : describeIssues(parsed.error, options);
  throw new PlaybookError("PB_STEP_INVALID", [name, why], { at: callsite(), step: name });
}
