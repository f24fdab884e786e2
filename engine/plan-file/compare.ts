import type { Declared } from "./declared.ts";
import type { PlanFile } from "./schema.ts";

/** How what is called for differs from what a plan was made for, each in words; empty where it does not. */
export function differences(plan: PlanFile, now: Declared): string[] {
  const steps = Object.fromEntries(plan.steps.map(({ step, declared }) => [step, declared]));
  return [
    ...one("run-playbook", plan.engine, now.engine),
    ...one("the playbook", plan.playbook.name, now.playbook.name),
    ...one("--limit", listed(plan.limit), listed(now.limit)),
    ...one("--only", listed(plan.only), listed(now.only)),
    ...each("param", plan.params, now.params),
    ...each("step", steps, now.steps),
    ...order(Object.keys(steps), Object.keys(now.steps)),
    ...each("host", plan.hosts, now.hosts),
    ...(plan.site === now.site ? [] : ["the inventory's groups or settings: others than planned"]),
  ];
}

/** The same for secrets, which are read last. */
export const secretDifferences = (
  planned: PlanFile["secrets"],
  now: PlanFile["secrets"],
): string[] => each("secret", planned, now);

const listed = (names: readonly string[] | undefined) => names?.join(", ") ?? "everything";

const one = (what: string, planned: string, now: string) =>
  planned === now ? [] : [`${what}: ${planned} planned, ${now} now`];

type Kept = string | { readonly secret: string };

function each(
  what: string,
  planned: Readonly<Record<string, Kept>>,
  now: Readonly<Record<string, Kept>>,
): string[] {
  const names = new Set([...Object.keys(planned), ...Object.keys(now)]);
  return Array.from(names).flatMap((name) => {
    const [was, is] = [planned[name], now[name]];
    if (was === undefined) return [`${what} ${name}: not in the plan`];
    if (is === undefined) return [`${what} ${name}: in the plan only`];
    if (keyOf(was) === keyOf(is)) return [];
    return what === "param" && typeof was === "string" && typeof is === "string"
      ? [`param ${name}: ${was} planned, ${is} now`]
      : [`${what} ${name}: another than planned`];
  });
}

const keyOf = (kept: Kept): string => (typeof kept === "string" ? kept : `secret ${kept.secret}`);

const order = (planned: readonly string[], now: readonly string[]) =>
  planned.length === now.length &&
  planned.every((step) => now.includes(step)) &&
  planned.join("\0") !== now.join("\0")
    ? ["the steps: in another order than planned"]
    : [];
