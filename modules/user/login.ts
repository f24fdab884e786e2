/** What a host says of a login, and where its files are. */
import type { FileStat } from "#engine/index.ts";
import type { FileNow } from "../managed-file.ts";

export interface Passwd {
  readonly uid: number;
  readonly comment: string;
  readonly home: string;
  readonly shell: string;
}

/** One line of getent; undefined where there is none. */
export function parsePasswd(line: string): Passwd | undefined {
  const [name, , uid, , comment, home, shell] = line.trim().split(":");
  if (!name || uid === undefined) return undefined;
  return { uid: Number(uid), comment: comment ?? "", home: home ?? "", shell: shell ?? "" };
}

/** The SSH keys that may log in, and the folder that they lie in. */
export interface Keys {
  readonly folder: FileStat | undefined;
  readonly file: FileNow;
}

interface Named {
  readonly name: string;
  readonly home?: string | undefined;
}

/** sudo skips files whose names hold a dot (sudoers(5), "Including other files"); no name of a user holds a plus. */
export const sudoersOf = ({ name }: Named) =>
  `/etc/sudoers.d/run-playbook-${name.replaceAll(".", "+")}`;

/**
 * Words of sudoers begin with a capital: ALL is everybody, ADMINS an alias, Defaults and User_Alias begin lines of their
 * own (sudoers(5)). Such a name cannot be given a right there.
 */
export const isSudoersWord = (name: string): boolean => /^[A-Z]/.test(name);
export const keysOf = (home: string) => `${home}/.ssh/authorized_keys`;
export const homeOf = ({ name, home }: Named) =>
  home ?? (name === "root" ? "/root" : `/home/${name}`);
