import { readdir, readFile, rm, rmdir, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isMissing, orMissing, readText } from "./files.ts";
import { numbers } from "./processes.ts";

const MOUNT = "/sys/fs/cgroup";
const CGROUP2_MAGIC = 0x63677270;

/**
 * How a host gets control groups of its own. `scope`: where systemd manages cgroup v2 it is the only writer, so it makes
 * the group and delegates it; everywhere else the lab makes the folders itself.
 */
export type CgroupLayout =
  | { readonly version: "v1"; readonly groups: readonly string[] }
  | {
      readonly version: "v2";
      readonly groups: readonly [string];
      readonly scope?: string;
    };

/** What this machine has. */
export interface CgroupMachine {
  readonly unified: boolean;
  /** Text of /proc/mounts. */
  readonly mounts: string;
  readonly systemd: boolean;
}

/** Looks at the machine: which version, which hierarchies, who manages them. */
export async function readCgroupMachine(): Promise<CgroupMachine> {
  const [fs, mounts, systemd] = await Promise.all([
    statfs(MOUNT),
    readFile("/proc/mounts", "utf8"),
    orMissing(readdir("/run/systemd/system")),
  ]);
  return { unified: fs.type === CGROUP2_MAGIC, mounts, systemd: systemd !== undefined };
}

/**
 * The groups of one host. On v1 it needs one in every hierarchy, the named (systemd) and the v2 one included: without
 * those two all hosts share a group, and one host's systemd and kubelet see the other's units and pods.
 */
export function cgroupLayout(machine: CgroupMachine, name: string): CgroupLayout {
  if (!machine.unified)
    return { version: "v1", groups: hierarchies(machine.mounts).map((path) => join(path, name)) };
  if (!machine.systemd) return { version: "v2", groups: [join(MOUNT, name)] };
  const scope = `${name}.scope`;
  return { version: "v2", groups: [join(MOUNT, "machine.slice", scope)], scope };
}

/** Mount points of every cgroup hierarchy under /sys/fs/cgroup. */
export function hierarchies(mounts: string): string[] {
  const found = mounts.split("\n").flatMap((line) => {
    const [, path = "", type] = line.split(" ");
    const wanted = (type === "cgroup" || type === "cgroup2") && path.startsWith(`${MOUNT}/`);
    return wanted ? [path] : [];
  });
  return [...new Set(found)].sort();
}

/**
 * On a v2 machine without systemd somebody must hand the controllers down to the groups below the root. What was handed
 * down is noted, and taken back by the last lab.
 */
export async function handDownControllers(machine: CgroupMachine, labs: string): Promise<void> {
  if (!machine.unified || machine.systemd) return;
  const words = async (name: string) =>
    ((await readText(join(MOUNT, name))) ?? "").split(" ").filter(Boolean);
  const handed = await words("cgroup.subtree_control");
  const missing = (await words("cgroup.controllers")).filter((name) => !handed.includes(name));
  if (missing.length === 0) return;
  await writeFile(noteFile(labs), missing.join(" "));
  await switchControllers("+", missing);
}

/** Takes back what {@link handDownControllers} handed down, once no lab has a host. */
export async function takeBackControllers(machine: CgroupMachine, labs: string): Promise<void> {
  const handed = await readText(noteFile(labs));
  if (handed === undefined || (await groupsLike(machine, "rpl.")).length > 0) return;
  // A machine that was restarted with cgroup v1 has nothing to take back.
  if (machine.unified) await switchControllers("-", handed.split(" "));
  await rm(noteFile(labs));
}

const noteFile = (labs: string): string => join(labs, "cgroup-controllers");

const switchControllers = (sign: "+" | "-", names: readonly string[]) =>
  writeFile(join(MOUNT, "cgroup.subtree_control"), names.map((name) => sign + name).join(" "));

/** Every process in the groups and below. */
export async function pidsIn(groups: readonly string[]): Promise<number[]> {
  const pids = new Set<number>();
  for (const group of groups)
    for (const folder of await tree(group))
      for (const pid of numbers((await readText(join(folder, "cgroup.procs"))) ?? ""))
        pids.add(pid);
  return [...pids];
}

/** Removes empty groups, the innermost first. */
export async function removeGroups(groups: readonly string[]): Promise<void> {
  for (const group of groups)
    for (const folder of (await tree(group)).reverse()) await orMissing(rmdir(folder));
}

/** The groups named `rpl.LAB.*` that exist on this machine, by host. */
export async function groupsLike(machine: CgroupMachine, prefix: string): Promise<string[]> {
  const parents = machine.unified
    ? [machine.systemd ? join(MOUNT, "machine.slice") : MOUNT]
    : hierarchies(machine.mounts);
  const names = await Promise.all(parents.map((parent) => orMissing(readdir(parent))));
  const ours = names.flatMap((list) => list ?? []).filter((name) => name.startsWith(prefix));
  return [...new Set(ours.map((name) => name.slice(prefix.length).replace(/\.scope$/, "")))];
}

/** The group and all below it, outermost first; a group that vanishes meanwhile is left out. */
async function tree(group: string): Promise<string[]> {
  const entries = await readdir(group, { withFileTypes: true }).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  if (entries === undefined) return [];
  const below = await Promise.all(
    entries.filter((entry) => entry.isDirectory()).map((entry) => tree(join(group, entry.name))),
  );
  return [group, ...below.flat()];
}
