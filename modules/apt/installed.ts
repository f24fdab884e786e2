/** What dpkg knows of packages. */
import { type Host, script, sh } from "#engine/index.ts";
import { invalid } from "../answer.ts";
import { PROVIDED } from "./scripts.ts";

export interface Installed {
  /** As apt takes it: with its architecture, as libc6:i386, where that is not the host's own. */
  readonly name: string;
  /** dpkg's, as installed, config-files, half-configured. */
  readonly status: string;
  readonly version: string;
}

/** The name in "name=version". */
export const nameOf = (text: string) => text.split("=")[0] ?? text;

/** Of these, those that dpkg knows, in every architecture. @throws PB_ANSWER_INVALID where dpkg does not answer */
export async function readInstalled(
  host: Host,
  names: readonly string[],
): Promise<readonly Installed[]> {
  const format = "--showformat=${Package}\\t${Architecture}\\t${db:Status-Status}\\t${Version}\\n";
  // dpkg's own architecture is the host's. Exits 1 where it knows one of them not at all.
  const { code, stdout, stderr } = await host.run(
    sh`dpkg-query --show ${format} -- ${["dpkg", ...names]}`,
  );
  const rows = stdout.split("\n").flatMap((row) => {
    const [name = "", arch = "", status = "", version = ""] = row.split("\t");
    return name === "" ? [] : [{ name, arch, status, version }];
  });
  const own = rows.find(({ name }) => name === "dpkg")?.arch;
  if (code > 1 || own === undefined)
    throw invalid("dpkg-query", stderr.trim().split("\n").at(-1) || "it does not know dpkg itself");
  const isOwn = (arch: string) => [own, "all", ""].includes(arch);
  return rows
    .filter(({ name }) => names.includes(name))
    .map(({ name, arch, ...rest }) => ({ name: isOwn(arch) ? name : `${name}:${arch}`, ...rest }));
}

/** A package of the host's own architecture. */
export const find = (installed: readonly Installed[], text: string) =>
  installed.findLast(({ name }) => name === nameOf(text));

/** The same package in every architecture. */
export const findAll = (installed: readonly Installed[], wanted: string) =>
  installed.filter(({ name }) => name.split(":")[0] === wanted);

/** Whether anything of a package is there; dpkg says "unknown" of a name that others only mention. */
export const isKnown = (status: string): boolean =>
  status !== "not-installed" && status !== "unknown";

export const statusOf = (installed: readonly Installed[], name: string) => {
  const status = find(installed, name)?.status ?? "";
  return isKnown(status) && status !== "" ? status : "not-installed";
};

/** Whether a wish, as "name" or "name=1.2.*", is met. */
export function isThere(installed: readonly Installed[], text: string): boolean {
  const found = find(installed, text);
  if (found?.status !== "installed") return false;
  const wanted = text.split("=")[1];
  if (wanted === undefined) return true;
  return wanted.endsWith("*")
    ? found.version.startsWith(wanted.slice(0, -1))
    : found.version === wanted;
}

/** Every package, as "installed NAME" or with another status. */
export const readAll = (host: Host): Promise<string> =>
  host.text(sh`dpkg-query --show ${"--showformat=${db:Status-Status} ${Package}\\n"}`);

/**
 * Of these, those that are there under another name, as a library is that was renamed: something installed provides
 * them, and apt would install nothing for them.
 */
export async function readProvided(host: Host, names: readonly string[]): Promise<string[]> {
  if (names.length === 0) return [];
  return (await host.text(script(PROVIDED, ...names))).split("\n").filter(Boolean);
}
