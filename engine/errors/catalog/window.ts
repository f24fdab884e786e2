import type { ErrorSpecs } from "../spec.ts";

/** The time in which changes are allowed. */
export const windowErrors = {
  PB_WINDOW_INVALID: {
    message: (what: string, why: string) => `${what} cannot be used: ${why}.`,
    hint: "A window is given as 22:00-04:00 or 22:00-04:00@Europe/Berlin; the end may lie on the next day.",
  },
  PB_WINDOW_CLOSED: {
    message: (window: string, opens: string) =>
      `The window ${window} is closed; it opens on ${opens}.`,
    hint: "Run it then. `--check` changes nothing and may run at any time; `--window` goes before the playbook's own.",
  },
} satisfies ErrorSpecs;
