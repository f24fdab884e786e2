import type { ErrorSpecs } from "../spec.ts";

/** Playbook, inventory and command line: everything that is wrong before a host is touched. */
export const playbookErrors = {
  PB_USAGE: {
    message: (what: string) => what,
    hint: "Run `run-playbook --help` for the commands and examples.",
  },
  PB_PLAYBOOK_MISSING: {
    message: (path: string, looked: readonly string[]) =>
      `No playbook "${path}" (looked at ${looked.join(", ")}).`,
    hint: "Give the path of a .ts file whose default export is playbook(…).",
  },
  PB_PLAYBOOK_INVALID: {
    message: (path: string, why: string) => `${path} is not a playbook: ${why}.`,
    hint: "End the file with `export default playbook(…)`.",
  },
  PB_PLAYBOOK_THREW: {
    message: (path: string, why: string) => `${path} threw while it was loaded: ${why}.`,
    hint: "Nothing was touched: mend the playbook and run it again.",
  },
  PB_INVENTORY_INVALID: {
    message: (where: string, why: string) => `The inventory ${where} does not fit: ${why}.`,
    hint: "inventory/example.ts shows every field.",
  },
  PB_PARAMS_INVALID: {
    message: (what: string, why: string) => `${what}: ${why}.`,
    hint: "The module's page under docs/modules lists its params with units and defaults.",
  },
  PB_CYCLE: {
    message: (path: readonly string[]) => `The steps ${path.join(" → ")} form a cycle.`,
    hint: "Drop one `after`, or pass a plain value where an output is passed now.",
  },
  PB_DUPLICATE_STEP: {
    message: (label: string) => `Two steps are called "${label}".`,
    hint: "Give each step a label of its own: labels name steps in output, --only and errors.",
  },
  PB_REF_MISUSED: {
    message: (ref: string, how: string) => `The output ${ref} was used as ${how}.`,
    hint: "An output exists only once its step ran: pass it as a param, where it is the edge too.",
  },
  PB_NOTHING_SELECTED: {
    message: (why: string) => `Nothing is selected: ${why}.`,
    hint: "run-playbook FILE --list shows the steps and their hosts; check the inventory's groups, --limit and --only.",
  },
  PB_SECRET_MISUSED: {
    message: (how: string) => `A secret was turned into ${how}.`,
    hint: "Pass the secret itself as a param, or put it into text with secretText`…`: what holds a secret is one as a whole.",
  },
} satisfies ErrorSpecs;
