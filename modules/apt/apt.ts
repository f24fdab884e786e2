/**
 * Debian packages. What is missing is installed in one go, without recommended packages; the package lists are fetched
 * first only if something is to be installed and they are old, or older than the sources. apt's locks are waited for,
 * up to a deadline, so that an automatic upgrade of the host's own does not fail the step.
 */
import { z } from "zod";
import { defineModule, run, script, toMs } from "#engine/index.ts";
import { DurationText } from "../params.ts";
import { refuseWithoutApt } from "./apt-host.ts";
import {
  find,
  findAll,
  type Installed,
  isKnown,
  isThere,
  nameOf,
  readAll,
  readInstalled,
  readProvided,
  statusOf,
} from "./installed.ts";
import { INSTALL, REMOVE, STATE } from "./scripts.ts";
import { undoPackages } from "./undo.ts";

// apt would remove what a name with a hyphen at its end is of.
const Name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9+.-]*[a-z0-9+.]$/, "expected a package, as keepalived");
const Package = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9+.-]*[a-z0-9+.](=[A-Za-z0-9][A-Za-z0-9.+~:-]*\*?)?$/,
    "expected a package, as keepalived or keepalived=1:2.3.3-1",
  );

export const apt = defineModule({
  name: "apt",
  summary:
    "Keep Debian packages installed, in given versions where that matters, or keep them away.",
  example: `use.apt({ present: ["keepalived", "nftables=1.1.*"], absent: ["ufw"] })`,

  params: z
    .strictObject({
      present: z
        .array(Package)
        .default([])
        .describe(
          "Names, or name=version; a version may end in * and may be older than the installed one.",
        ),
      absent: z
        .array(Name)
        .default([])
        .describe("Names of packages that must not be there, in any architecture."),
      purge: z.boolean().default(false).describe("Removing takes configuration files too."),
      maxAge: DurationText.default("24h").describe(
        "How old package lists may be when something is to be installed.",
      ),
      lockTimeout: DurationText.default("5m").describe(
        "How long another apt or dpkg is waited for.",
      ),
      timeout: DurationText.default("15m").describe("For all of it."),
    })
    .refine(({ present, absent }) => present.length + absent.length > 0, {
      message: "expected packages in present or absent",
    })
    .refine(({ present, absent }) => !present.some((text) => absent.includes(nameOf(text))), {
      message: "a package is both in present and in absent",
    })
    .refine(({ present }) => new Set(present.map(nameOf)).size === new Set(present).size, {
      message: "a package is given in two versions",
    }),

  outputs: z.object({
    versions: z.record(z.string(), z.string()).describe("Installed version by package."),
  }),

  async read(host, want) {
    refuseWithoutApt(host);
    const names = [...want.present, ...want.absent].map((text) => nameOf(text));
    const [installed, age] = await Promise.all([
      readInstalled(host, names),
      host.text(script(STATE)),
    ]);
    const versions = Object.fromEntries(
      installed.flatMap(({ name, status, version }) =>
        status === "installed" ? [[name, version]] : [],
      ),
    );
    // Only where something is to be installed: what was there before stays when it is undone.
    const missing = want.present.filter((text) => !isThere(installed, text));
    const unknown = missing.filter(
      (text) => text === nameOf(text) && statusOf(installed, text) === "not-installed",
    );
    const [all, provided] = await Promise.all([
      missing.length === 0 ? "" : readAll(host),
      readProvided(host, unknown),
    ]);
    return { versions, installed, all, provided, listsAgeMs: Number(age) * 1000 };
  },

  *diff(now, want) {
    const lock = Math.ceil(toMs(want.lockTimeout) / 1000);
    const missing = want.present.filter(
      (text) => !isThere(now.installed, text) && !now.provided.includes(text),
    );
    const unwanted = want.absent
      .flatMap((name) => findAll(now.installed, name))
      .filter(({ status }) => isKnown(status) && (want.purge || status !== "config-files"))
      .map(({ name }) => name);
    if (unwanted.length > 0) {
      const verb = want.purge ? "purge" : "remove";
      yield run(script(REMOVE, lock, verb, ...unwanted), `${verb} ${unwanted.join(", ")}`, {
        timeout: want.timeout,
      });
    }
    if (missing.length === 0) return;
    const stale = now.listsAgeMs < 0 || now.listsAgeMs > toMs(want.maxAge);
    const say = missing.map((text) => describe(now.installed, text)).join(", ");
    yield run(
      script(INSTALL, lock, stale ? "update" : "cached", ...missing),
      `install ${say}${stale ? " (with fresh package lists)" : ""}`,
      { timeout: want.timeout },
    );
  },

  *undo(before, now, want) {
    yield* undoPackages(before, now, want);
  },
});

function describe(installed: readonly Installed[], text: string): string {
  const was = find(installed, text);
  if (was === undefined || was.status === "not-installed") return text;
  return was.status === "installed"
    ? `${text} (was ${was.version})`
    : `${text} (was ${was.status})`;
}
