import { PlaybookError } from "#engine/errors/error.ts";

// A network interface name has 15 characters at most: "rpl-" and the lab, "v-" and the host.
const LAB = /^[a-z](?:[a-z0-9-]{0,9}[a-z0-9])?$/;
const HOST = /^[a-z](?:[a-z0-9-]{0,11}[a-z0-9])?$/;

/** The lab's name, or the error that says what a name may look like. */
export function checkLabName(name: string): string {
  if (LAB.test(name)) return name;
  throw new PlaybookError("PB_LAB_NAME", [
    "lab",
    name,
    "1 to 11 lower-case letters, digits and hyphens, a letter first",
  ]);
}

/** A host's name, or the error that says what a name may look like. */
export function checkHostName(name: string): string {
  if (HOST.test(name)) return name;
  throw new PlaybookError("PB_LAB_NAME", [
    "host",
    name,
    "1 to 13 lower-case letters, digits and hyphens, a letter first",
  ]);
}

/**
 * What the machine calls things of a lab. The dot keeps lab "a-b" apart from host "b" of lab "a": neither kind of name
 * may contain one.
 */
export const machineNames = (lab: string) => ({
  /** The namespace that holds the bridge. */
  namespace: `rpl.${lab}`,
  /** The machine's end of the one cable into the lab. */
  cable: `rpl-${lab}`,
  /** A host's network namespace, its nspawn machine and its control groups. */
  host: (host: string) => `rpl.${lab}.${host}`,
  hostPrefix: `rpl.${lab}.`,
});
