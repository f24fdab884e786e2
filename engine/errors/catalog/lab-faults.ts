import type { ErrorSpecs } from "../spec.ts";

/** Faults that a lab is asked for. */
export const labFaultErrors = {
  PB_LAB_FAULT: {
    message: (what: "delay" | "loss" | "size", given: string, rule: string) =>
      `"${given}" is no ${what}: ${rule}.`,
    hint: "For example `run-playbook lab delay w1 50ms --loss 30`, or `lab fill w1 --leave 1M`.",
  },
} satisfies ErrorSpecs;
