import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { PlaybookError } from "#engine/errors/error.ts";
import { sh } from "#engine/host/command.ts";
import type { ReportProgress } from "../progress.ts";
import { isMissing } from "./files.ts";
import { run } from "./run.ts";
import { timed } from "./timed.ts";

/** Debian packages, each with files of which any one shows that it is there. */
export type Needed = Readonly<Record<string, readonly string[]>>;

/** What the lab needs on the machine. */
const NEEDED: Needed = {
  mmdebstrap: ["/usr/bin/mmdebstrap"],
  "systemd-container": ["/usr/bin/systemd-nspawn"],
  iproute2: ["/usr/sbin/ip", "/sbin/ip", "/usr/bin/ip"],
  "openssh-client": ["/usr/bin/ssh-keygen"],
  e2fsprogs: ["/usr/sbin/mkfs.ext4", "/sbin/mkfs.ext4"],
  "util-linux": ["/usr/bin/nsenter"],
  "perl-base": ["/usr/bin/perl"],
  procps: ["/usr/sbin/sysctl", "/sbin/sysctl"],
  mount: ["/usr/bin/mount", "/bin/mount"],
  "debian-archive-keyring": [
    "/usr/share/keyrings/debian-archive-keyring.gpg",
    "/usr/share/keyrings/debian-archive-keyring.pgp",
  ],
};

/** What the machine lacks. */
async function missingPackages(needed: Needed): Promise<string[]> {
  const missing: string[] = [];
  for (const [name, files] of Object.entries(needed)) {
    const there = await Promise.all(files.map(exists));
    if (!there.includes(true)) missing.push(name);
  }
  return missing;
}

/** How a missing package may be dealt with. */
export interface PackageConsent {
  readonly yes: boolean;
  /** Asks the person at the terminal; absent when there is none. */
  readonly ask?: ((packages: readonly string[]) => Promise<boolean>) | undefined;
}

/** Sees to it that the machine has what is needed: by `yes`, by asking, else by an error that names it. */
export async function ensurePackages(
  { yes, ask }: PackageConsent,
  report: ReportProgress,
  needed: Needed = NEEDED,
): Promise<void> {
  const missing = await missingPackages(needed);
  if (missing.length === 0) return;
  if (!yes && !(ask && (await ask(missing))))
    throw new PlaybookError("PB_LAB_PACKAGES_MISSING", [missing]);
  await timed(report, { label: `install ${missing.join(", ")}` }, async () => {
    const env = { DEBIAN_FRONTEND: "noninteractive" };
    await run({ ...sh`apt-get -q update`, env }, 300);
    await run({ ...sh`apt-get -q -y --no-install-recommends install ${missing}`, env }, 900);
  });
}

async function exists(file: string): Promise<boolean> {
  try {
    await access(file, constants.R_OK);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}
