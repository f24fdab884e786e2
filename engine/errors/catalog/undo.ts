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
  PB_UNDO_FAILED: {
    message: (step: string, host: string, why: string) =>
      `Step "${step}" failed on ${host}, and undoing it failed too: ${why}`,
    hint: "Look at the host before anything else; running again reads first, and changes only what differs.",
  },
} satisfies ErrorSpecs;
