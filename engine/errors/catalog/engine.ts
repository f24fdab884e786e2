import type { ErrorSpecs } from "../spec.ts";

const listed = (names: readonly string[]) => (names.length === 0 ? "none" : names.join(", "));

/** A sentence that was said elsewhere, as part of one of ours. */
const clause = (text: string) => text.replace(/\.+$/, "");

/** Planning and running: what the engine itself finds wrong, or sees go wrong, on the way to a converged host. */
export const engineErrors = {
  PB_UNKNOWN_HOST: {
    message: (host: string, known: readonly string[]) =>
      `No host is called "${host}" (there are ${listed(known)}).`,
    hint: "Hosts are named by the keys of `hosts` in the inventory.",
  },
  PB_UNKNOWN_GROUP: {
    message: (group: string, known: readonly string[]) =>
      `The inventory has no group "${group}" (it has ${listed(known)}).`,
    hint: "Add the group to the inventory, with no members if none belong to it.",
  },
  PB_UNKNOWN_STEP: {
    message: (step: string, known: readonly string[]) =>
      `No step is called "${step}" (there are ${listed(known)}).`,
    hint: "`run-playbook PLAYBOOK --list` shows every step.",
  },
  PB_STEP_INVALID: {
    message: (step: string, why: string) => `Step "${step}" cannot be planned: ${why}.`,
    hint: "Nothing was touched: mend the step and run it again.",
  },
  PB_REF_NO_HOST: {
    message: (ref: string, step: string, host: string) =>
      `Step "${step}" on ${host} needs the output ${ref}, which no host gives.`,
    hint: "Let the step that gives the output run on that host too, or read it with `out.all`.",
  },
  PB_OUTSIDE_LIMIT: {
    message: (step: string, host: string) =>
      `Step "${step}" would change ${host}, which --limit leaves out, and others need its output.`,
    hint: "Add the host to --limit, or run without it.",
  },
  PB_SECRET_UNAVAILABLE: {
    message: (secret: string, why: string) => `The ${secret} cannot be read: ${why}.`,
    hint: "Secrets are read on the control machine before anything is touched: provide it and run again.",
  },
  PB_COMMAND_FAILED: {
    message: (command: string, code: number, said: string) =>
      `${command} exited ${code}${said === "" ? "" : `: ${said}`}`,
    hint: "Run the command on the host by hand to see more of what it says.",
  },
  PB_REMOVE_MOUNTED: {
    message: (path: string, mount: string) =>
      `${path} is not removed: a file system is mounted at ${mount}, and what is in it would go too.`,
    hint: "Unmount it first (umount), and take it from /etc/fstab where it is there.",
  },
  PB_REMOVE_STATE: {
    message: (path: string, base: string) =>
      `${path} is not removed: under ${base} is what keeps runs on the host apart, this one among them.`,
    hint: "It is in memory and goes with the next boot; `run-playbook unlock` frees a host by hand.",
  },
  PB_NOT_CONVERGED: {
    message: (step: string, host: string, why: string) =>
      `Step "${step}" still wants a change on ${host}: ${why}.`,
    hint: "Something else manages this setting, or the module's read() misses what its diff() writes.",
  },
  PB_STEP_TIMEOUT: {
    message: (step: string, host: string, seconds: number) =>
      `Step "${step}" was not done on ${host} within ${seconds} s.`,
    hint: "Look at what the host is busy with; a step's `timeout` raises the limit.",
  },
  PB_GATE_TIMEOUT: {
    message: (gate: string, host: string, saw: string) =>
      `Gate "${gate}" did not hold on ${host} in time; last seen: ${clause(saw)}.`,
    hint: "What was last seen is what to mend; a gate's `within` raises the limit.",
  },
  PB_GATE_CLOSED: {
    message: (gate: string, host: string, saw: string) =>
      `Gate "${gate}" does not hold on ${host}: ${clause(saw)}.`,
    hint: "Nothing before it is pending, so a run would only wait for it: mend what was seen.",
  },
  PB_STEP_CUT: {
    message: (step: string, host: string) => `Step "${step}" was cut off on ${host}.`,
    hint: "Run the playbook again: it reads the host first and goes on from what it finds.",
  },
  PB_ROLLED_BACK: {
    message: (host: string, why: string) =>
      `The change was not confirmed, so ${host} put everything back: ${clause(why)}.`,
    hint: "Mend what the change was checked by (address, gateway, peers) and run again.",
  },
  PB_ROLLBACK_FAILED: {
    message: (host: string, why: string) =>
      `${host} answers, but its change was neither confirmed nor wholly undone: ${clause(why)}.`,
    hint: "Look at the host before anything else; what it saved is under /run/run-playbook there.",
  },
  PB_GUARD_FAILED: {
    message: (host: string, why: string) => `The guarded change did not begin on ${host}: ${why}.`,
    hint: "The host needs sh, setsid and flock (util-linux), and room under /run.",
  },
  PB_GUARD_BUSY: {
    message: (host: string, since: string) =>
      `An earlier guarded change on ${host} is not over yet (${since}).`,
    hint: "It confirms or rolls back by itself within its time: run again after that.",
  },
  PB_LEFTOVER_BUSY: {
    message: (host: string, what: string, seconds: number) =>
      `A command of an earlier run, or of a connection that was cut, is still at work on ${host} after ${seconds} s: ${what}.`,
    hint: "Nothing is begun beside it: wait for it or end it there, and run again.",
  },
  PB_HOST_LOST: {
    message: (host: string, seconds: number) =>
      `${host} did not answer again within ${seconds} s after the change.`,
    hint: "The host was to roll back by itself: look at its console, and at /run/run-playbook there.",
  },
} satisfies ErrorSpecs;
