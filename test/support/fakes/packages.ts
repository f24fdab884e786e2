import type { FakeHost } from "#engine/host/fake/host.ts";

/** A package of a fake host, or what is left of its configuration. */
export interface FakePackage {
  /** Empty where only configuration is left: nobody asks of which version. */
  version: string;
  status: "installed" | "config-files";
}

/** What a fake archive has, newest version first, and what each package needs. */
export type FakeArchive = Readonly<
  Record<string, { readonly versions: readonly string[]; readonly needs?: readonly string[] }>
>;

/** Lets a fake host answer for its packages, as dpkg and the apt module's scripts do. */
export function withPackages(
  host: FakeHost,
  packages: Record<string, FakePackage>,
  archive: FakeArchive,
): FakeHost {
  const install = (text: string): void => {
    const [name = "", wanted = "*"] = text.split("=");
    const { versions = [], needs = [] } = archive[name] ?? {};
    const version = versions.find((one) =>
      wanted.endsWith("*") ? one.startsWith(wanted.slice(0, -1)) : one === wanted,
    );
    if (version === undefined) throw new Error(`the fake archive has no ${text}`);
    packages[name] = { version, status: "installed" };
    for (const need of needs) if (packages[need]?.status !== "installed") install(need);
  };
  const away = (verb: string, names: readonly string[]): void => {
    for (const name of names) {
      const is = packages[name];
      if (is === undefined) continue;
      if (verb === "purge") delete packages[name];
      else packages[name] = { version: "", status: "config-files" };
    }
  };
  return host
    .programs({
      "dpkg-query": ({ args: [, , , ...names] }) => {
        const known = Object.entries(packages);
        if (names.length === 0)
          return known.map(([name, { status }]) => `${status} ${name}\n`).join("");
        return known
          .filter(([name]) => names.includes(name))
          .map(([name, { status, version }]) => `${name}\tamd64\t${status}\t${version}\n`)
          .concat("dpkg\tamd64\tinstalled\t1.22\n")
          .join("");
      },
    })
    .script(/^# apt-provided\n/, () => "")
    .script(/^# apt-lists-age\n/, () => "0\n")
    .script(/^# apt-install\n/, ({ args: [, , ...texts] }) => {
      for (const text of texts) install(text);
      return undefined;
    })
    .script(/^# apt-remove\n/, ({ args: [, verb = "", ...names] }) => {
      away(verb, names);
      return undefined;
    })
    .script(/^# apt-take-away\n/, ({ args: [, verb = "", ...names], stdin }) => {
      const was = stdin.toString().split("\n");
      const came = names
        .flatMap((name) => archive[name]?.needs ?? [])
        .filter((need) => !was.includes(`installed ${need}`));
      away(verb, names);
      away("purge", came);
      return undefined;
    });
}
