import type { ErrorSpecs } from "../spec.ts";

/** One run at a time per host. */
export const lockErrors = {
  PB_HOST_LOCKED: {
    message: (host: string, owner: string) => `${host} is locked by ${owner}.`,
    hint: "Wait for that run; if it died, the host lets go by itself within 30 s, and `run-playbook unlock HOST` frees it otherwise.",
  },
  PB_LOCK_LOST: {
    message: (host: string, why: string) =>
      `The lock on ${host} was lost in the middle of the run: ${why}.`,
    hint: "Nothing more was begun there: see who works on the host, then run again.",
  },
  PB_LOCK_STUCK: {
    message: (host: string, why: string) => `The lock on ${host} could not be freed: ${why}.`,
    hint: "End the process whose id is in /run/run-playbook/lock/pid on the host.",
  },
  PB_LOCK_FAILED: {
    message: (host: string, why: string) => `${host} cannot be locked: ${why}.`,
    hint: "The host needs flock and setsid (util-linux), and a folder under /run that is its own.",
  },
} satisfies ErrorSpecs;
