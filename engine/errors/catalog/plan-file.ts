import type { ErrorSpecs } from "../spec.ts";

const counted = (count: number, noun: string) => `${count} ${noun}${count === 1 ? "" : "s"}`;

/** Plan files: writing one, and applying exactly what one announces. */
export const planFileErrors = {
  PB_PLAN_UNREADABLE: {
    message: (path: string, why: string) => `${path} cannot be applied: ${why}.`,
    hint: "Make a new one with `run-playbook PLAYBOOK --plan-out FILE`; nothing was touched.",
  },
  PB_PLAN_NOT_WRITTEN: {
    message: (path: string, why: string) => `The plan cannot be written to ${path}: ${why}.`,
    hint: "Name a file in a folder that is there and that you may write to.",
  },
  PB_PLAN_KEY: {
    message: (path: string, why: string) => `The key of plan files in ${path}: ${why}.`,
    hint: "A plan is applied with the key it was made with: name its file with --plan-key, or make a new plan here.",
  },
  PB_PLAN_STALE: {
    message: (path: string, differences: readonly string[]) =>
      `${path} was made for something else: ${counted(differences.length, "difference")}.`,
    hint: "Make a new plan, or bring back what it was made with; nothing was touched.",
  },
  PB_PLAN_DRIFTED: {
    message: (step: string, host: string, planned: string, found: string) =>
      `"${step}" on ${host} was planned to ${planned}, and now wants this: ${found}.`,
    hint: "`--check --diff` shows how the host is now; make a new plan once that is settled.",
  },
  PB_MODULE_IMPURE: {
    message: (module: string, step: string, host: string, found: string) =>
      `The module ${module} announced something else: "${step}" on ${host} reads what it read for the plan, and wants this: ${found}.`,
    hint: "This is a mistake in the module: its diff() must depend on `now` and `want` alone, not on time, chance or the environment.",
  },
} satisfies ErrorSpecs;
