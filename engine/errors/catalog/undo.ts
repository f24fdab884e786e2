import type { ErrorSpecs } from "../spec.ts";

/** Going back: what cannot, and what went wrong on the way. */
export const undoErrors = {
  PB_CANNOT_UNDO: {
    message: (step: string, module: string, why: string) =>
      `Step "${step}" says onFail: "undo", but what ${module} changes cannot be undone: ${why}.`,
    hint: 'Take `onFail: "undo"` from the step; docs/modules says of each module whether it can be undone.',
  },
  PB_UNDO_LOST: {
    message: (what: string, why: string) => `${what} could not be brought back: ${why}.`,
    hint: "Save it by hand first, or do without undo for this step.",
  },
  PB_UNDO_FORGOTTEN: {
    message: (host: string, step: string, why: string) =>
      `What "${step}" found on ${host} before it changed it is not known any more: ${why}.`,
    hint: "A host remembers the last ten runs that changed it; what is older is undone by hand.",
  },
  PB_UNDO_TAMPERED: {
    message: (host: string, step: string, run: string) =>
      `The record on ${host} of what "${step}" found is not the one that ${run} wrote.`,
    hint: "Somebody changed it, or the disk did: nothing was undone by it. See /var/lib/run-playbook/undo there.",
  },
  PB_UNDO_NOTHING: {
    message: (run: string, why: string) => `There is nothing to undo of ${run}: ${why}.`,
    hint: "`run-playbook show RUN` tells what a run changed.",
  },
  PB_UNDO_FAILED: {
    message: (step: string, host: string, why: string) =>
      `Step "${step}" failed on ${host}, and undoing it failed too: ${why}`,
    hint: "Look at the host before anything else; running again reads first, and changes only what differs.",
  },
  PB_UNDO_INCOMPLETE: {
    message: (run: string, earlier: string) =>
      `Run ${run} goes on with run ${earlier}, whose journal is gone.`,
    hint: "Restore its folder below run-playbook/runs in the state folder, or write down what is to go back as a playbook of its own.",
  },
} satisfies ErrorSpecs;
