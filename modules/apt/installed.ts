/** What dpkg knows of packages. */
import { type Host, sh } from "#engine/index.ts";

export interface Installed {
  readonly name: string;
  /** dpkg's, as installed, config-files, half-configured. */
  readonly status: string;
  readonly version: string;
}

/** The name in "name=version". */
export const nameOf = (text: string) => text.split("=")[0] ?? text;

/** Of these, those that dpkg knows. */
export async function readInstalled(
  host: Host,
  names: readonly string[],
): Promise<readonly Installed[]> {
  const format = "--showformat=${binary:Package}\\t${db:Status-Status}\\t${Version}\\n";
  // Exits 1 where it knows one of them not at all.
  const { stdout } = await host.run(sh`dpkg-query --show ${format} -- ${names}`);
  const rows = stdout.split("\n").map((row) => row.split("\t"));
  return rows.flatMap(([name = "", status = "", version = ""]) =>
    name === "" ? [] : [{ name: name.split(":")[0] ?? name, status, version }],
  );
}

export const find = (installed: readonly Installed[], text: string) =>
  installed.findLast(({ name }) => name === nameOf(text));

export const statusOf = (installed: readonly Installed[], name: string) =>
  find(installed, name)?.status ?? "not-installed";

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
