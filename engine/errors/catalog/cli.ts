import type { ErrorSpecs } from "../spec.ts";

/** The command line: loading what it names, and asking the operator. Nothing is touched when one of these stops it. */
export const cliErrors = {
  PB_PLAYBOOK_SYNTAX: {
    message: (path: string, why: string) => `${path} is not code that Node runs: ${why}.`,
    hint: "Node strips types and nothing else: write const objects for enums, modules for namespaces, fields for parameter properties.",
  },
  PB_PLAYBOOK_STUCK: {
    message: (path: string, seconds: number) => `${path} did not finish loading in ${seconds} s.`,
    hint: "Look for a top-level await that never settles; a playbook only declares, its steps do the waiting.",
  },
  PB_INVENTORY_MISSING: {
    message: (looked: readonly string[]) =>
      `There is no inventory to run on (looked at ${looked.join(", ")}).`,
    hint: "Name one with --inventory FILE, or take --lab for a lab on this machine.",
  },
  PB_CONFIRM_NEEDED: {
    message: (question: string) => `Nobody is there to answer: "${question}"`,
    hint: "Run it on a terminal, or say --yes if the answer is yes.",
  },
  PB_FOLDER_GONE: {
    message: () => "The folder that this was called in is gone.",
    hint: "Change into one that is there: paths are taken from where one stands.",
  },
  PB_OUTPUT_LOST: {
    message: (why: string) => `Not all of the output could be written: ${why}.`,
    hint: "What was begun on hosts came to its end: `run-playbook show last` tells how. Where a program reads the output, let it read to the end; `--output lines` says the least.",
  },
  PB_DECLINED: {
    message: (question: string) => `The answer was no: "${question}" Nothing was touched.`,
    hint: "Run it again when the answer is yes.",
  },
} satisfies ErrorSpecs;
