import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { sh } from "#engine/host/command.ts";
import { orMissing } from "./files.ts";
import { run } from "./run.ts";

/** Where this machine gets Debian's packages, and how. */
export interface AptSettings {
  /** Base URL of the archive (…/debian) and of its security updates (…/debian-security). */
  readonly archive: string;
  readonly security: string;
  readonly keyring: string;
  /** apt's own proxy setting, if any; the environment's http_proxy comes on top. */
  readonly proxy: string | undefined;
  /** The machine's settings about dates of signed indexes: hosts see the same archive, so they need the same. */
  readonly dates: Readonly<Record<string, string>>;
}

/** One entry of sources.list or of a .sources file. */
export interface AptSource {
  readonly uri: string;
  readonly suites: readonly string[];
  readonly signedBy: string | undefined;
}

const DEFAULTS = {
  archive: "http://deb.debian.org/debian",
  security: "http://deb.debian.org/debian-security",
};
const KEYRINGS = ["debian-archive-keyring.pgp", "debian-archive-keyring.gpg"];
const DEBIAN_SUITE =
  /^(?:bookworm|trixie|forky|sid|stable|testing|unstable|oldstable)(?:-updates|-security|-backports)?$/;

/** Reads the machine's own apt configuration. On Ubuntu, whose sources hold no Debian, Debian's own mirror is used. */
export async function readAptSettings(etc = "/etc/apt"): Promise<AptSettings> {
  const sources = await readSources(etc);
  const dump = await run(sh`apt-config dump`);
  const keyrings = await readdir("/usr/share/keyrings");
  return chooseSettings(sources, { dump, keyrings });
}

/** The settings that follow from sources, `apt-config dump` and the keyrings there are. */
export function chooseSettings(
  sources: readonly AptSource[],
  machine: { readonly dump: string; readonly keyrings: readonly string[] },
): AptSettings {
  const debian = sources.filter(
    ({ uri, suites }) => /^https?:/.test(uri) && suites.some((suite) => DEBIAN_SUITE.test(suite)),
  );
  const security = debian.find(({ suites }) => suites.some((name) => name.endsWith("-security")));
  const archive = debian.find(({ suites }) => suites.some((name) => !name.endsWith("-security")));
  const shared = KEYRINGS.find((name) => machine.keyrings.includes(name)) ?? "";
  const option = (key: string) =>
    new RegExp(`^${key} "(.*)";$`, "im").exec(machine.dump)?.[1] || undefined;
  const dates = ["Acquire::Check-Valid-Until", "Acquire::Check-Date"].flatMap((key) => {
    const value = option(key);
    return value === undefined ? [] : [[key, value]];
  });
  return {
    archive: trim(archive?.uri ?? DEFAULTS.archive),
    security: trim(security?.uri ?? DEFAULTS.security),
    keyring: archive?.signedBy ?? `/usr/share/keyrings/${shared}`,
    proxy: option("Acquire::http::Proxy"),
    dates: Object.fromEntries(dates),
  };
}

/** Entries of a .sources file (deb822 stanzas) that are enabled and hold binary packages. */
export function parseDeb822(text: string): AptSource[] {
  const stanzas = text.replaceAll(/^#.*\n?/gm, "").split(/\n\s*\n/);
  return stanzas.flatMap((stanza) => {
    const field = (name: string) =>
      new RegExp(`^${name}:[ \\t]*(.*)$`, "im").exec(stanza)?.[1]?.trim();
    const words = (name: string) => field(name)?.split(/\s+/).filter(Boolean) ?? [];
    if (!words("Types").includes("deb") || field("Enabled")?.toLowerCase() === "no") return [];
    const signedBy = field("Signed-By");
    return words("URIs").map((uri) => ({
      uri,
      suites: words("Suites"),
      signedBy: signedBy?.startsWith("/") ? signedBy : undefined,
    }));
  });
}

/** Entries of a one-line sources.list. */
export function parseOneLine(text: string): AptSource[] {
  const lines = text.matchAll(/^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)/gm);
  return Array.from(lines, ([, options = "", uri = "", suite = ""]) => ({
    uri,
    suites: [suite],
    signedBy: /signed-by=(\/\S+)/.exec(options)?.[1],
  }));
}

async function readSources(etc: string): Promise<AptSource[]> {
  const parts = join(etc, "sources.list.d");
  const names = ((await orMissing(readdir(parts))) ?? []).sort();
  const files = [join(etc, "sources.list"), ...names.map((name) => join(parts, name))];
  const found = await Promise.all(
    files.map(async (file) => {
      const text = await orMissing(readFile(file, "utf8"));
      if (text === undefined) return [];
      if (file.endsWith(".sources")) return parseDeb822(text);
      return file.endsWith(".list") ? parseOneLine(text) : [];
    }),
  );
  return found.flat();
}

const trim = (uri: string): string => uri.replace(/\/+$/, "");
