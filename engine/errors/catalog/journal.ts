import type { ErrorSpecs } from "../spec.ts";

const listed = (names: readonly string[]) => (names.length === 0 ? "none" : names.join(", "));

/** Journals of runs: writing them, reading them, and going on from them. */
export const journalErrors = {
  PB_JOURNAL_UNWRITABLE: {
    message: (path: string, why: string) => `The journal ${path} cannot be written: ${why}.`,
    hint: "Nothing is changed that the journal does not know of: make room or mend the permissions, then resume the run.",
  },
  PB_JOURNAL_BROKEN: {
    message: (path: string, line: number, why: string) =>
      `Line ${line} of ${path} is no entry of a journal: ${why}.`,
    hint: "The file was damaged or edited: run the playbook itself again, it reads the hosts first.",
  },
  PB_RUNS_UNREADABLE: {
    message: (path: string, why: string) => `What is kept of runs cannot be read: ${path}: ${why}.`,
    hint: 'After a run under sudo the folder may be root\'s: give it back (`sudo chown -R "$(id -u)" DIR`), or set XDG_STATE_HOME to a folder of your own.',
  },
  PB_JOURNAL_NEWER: {
    message: (path: string, format: number, known: number) =>
      `${path} has format ${format}, and this run-playbook reads format ${known}.`,
    hint: "Use the version of run-playbook that wrote it, or a newer one.",
  },
  PB_RUN_UNKNOWN: {
    message: (name: string, known: readonly string[]) =>
      `No run here is called "${name}" (the last ones are ${listed(known)}).`,
    hint: "`run-playbook runs` lists the runs of this user on this machine; the beginning of a name is enough.",
  },
  PB_RUN_AMBIGUOUS: {
    message: (name: string, runs: readonly string[]) =>
      `"${name}" is the beginning of several runs: ${listed(runs)}.`,
    hint: "Give more of the name.",
  },
  PB_RUN_NONE_LEFT: {
    message: () => "No run here is unfinished.",
    hint: "`run-playbook runs` shows how they ended.",
  },
  PB_RUN_ALIVE: {
    message: (run: string, pid: number, since: string) =>
      `The run ${run} is still on: process ${pid}, since ${since}.`,
    hint: "Wait for it, or end it with Ctrl-C where it runs, and resume it then.",
  },
  PB_RUN_ELSEWHERE: {
    message: (run: string, machine: string) =>
      `The run ${run} was begun on ${machine} and has not ended; from here nobody can see whether it is still on.`,
    hint: "Resume it there; if that machine is gone, run the playbook itself again.",
  },
  PB_RUN_FINISHED: {
    message: (run: string) => `The run ${run} came to its end: nothing is left of it to do.`,
    hint: "To look for drift, run the playbook again.",
  },
  PB_RUN_RESUMED: {
    message: (run: string, as: string) => `The run ${run} was resumed already, as ${as}.`,
    hint: "Resume that one, it knows what the first one knew.",
  },
  PB_RUN_FOLDER_GONE: {
    message: (run: string, folder: string) =>
      `The run ${run} was started in ${folder}, which is gone.`,
    hint: "Put the playbook and its inventory back there, or run the playbook itself again where it is now.",
  },
  PB_SECRET_PARAM: {
    message: (run: string, params: readonly string[]) =>
      `The run ${run} was given secrets that no journal keeps: ${listed(params)}.`,
    hint: "Give them again with --param NAME=VALUE, or resume on a terminal, where they are asked for.",
  },
} satisfies ErrorSpecs;
