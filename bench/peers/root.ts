/** A Debian 13 root with Ansible, mitogen and pyinfra in it, and how a program is run there. */
import { createHash } from "node:crypto";
import { copyFile, mkdir, readdir, rename, rm } from "node:fs/promises";
import { arch } from "node:os";
import { join } from "node:path";
import { sh } from "#engine/host/command.ts";
import { readAptSettings } from "#lab/machine/apt-settings.ts";
import { debootstrapFrom } from "#lab/machine/debootstrap.ts";
import { orMissing } from "#lab/machine/files.ts";
import { run } from "#lab/machine/run.ts";
import { timed } from "#lab/machine/timed.ts";
import type { ReportProgress } from "#lab/progress.ts";
import { cacheFolder } from "#lab/state/paths.ts";
import type { BenchHosts } from "../hosts.ts";
import type { Command } from "../measure.ts";
import { peersRecipe } from "./recipe.ts";

const VENV = "/opt/peers";
export const SITE_PACKAGES: string = `${VENV}/lib/python${peersRecipe.python}/site-packages`;
const WHEELS = "/opt/wheels";

/** The root, ready to run the peers. */
export interface PeersRoot {
  readonly versions: Readonly<Record<string, string>>;
  /** A folder that both sides see, with the key and the known hosts in it. */
  share(
    name: string,
    on: BenchHosts,
  ): Promise<{ readonly outside: string; readonly inside: string }>;
  /** The program inside the root, which shares the machine's network. What it leaves running ends with it. */
  command(argv: readonly string[], options: { readonly folder: string }): Command;
}

/** From the cache, or made now: about two minutes. */
export async function peersRoot(report: ReportProgress): Promise<PeersRoot> {
  const folder = await ensureRoot(report);
  return {
    versions: { ...peersRecipe.fromPypi, python: peersRecipe.python },
    async share(name, { identityFile, knownHostsFile }) {
      const inside = `/srv/${name}`;
      const outside = join(folder, inside);
      await mkdir(outside, { recursive: true });
      await copyFile(identityFile, join(outside, "id"));
      await copyFile(knownHostsFile, join(outside, "known_hosts"));
      return { outside, inside };
    },
    command: (argv, options) => inside(folder, argv, options),
  };
}

// The namespaces take mounts and stragglers with them when the program ends, whatever way it ends.
const ENTER = `root=$1 folder=$2; shift 2
mount --bind /dev "$root/dev" && mount -t proc proc "$root/proc" && mount -t tmpfs tmpfs "$root/tmp" || exit 1
exec chroot "$root" env -i HOME=/root LANG=C.UTF-8 PATH=${VENV}/bin:/usr/bin:/bin \\
  sh -c 'cd "$1" && shift && exec "$@"' sh "$folder" "$@"`;

const inside = (
  root: string,
  argv: readonly string[],
  { folder }: { readonly folder: string },
): Command => ({
  argv: [
    ...(["unshare", "--mount", "--propagation", "private", "--pid", "--fork"] as const),
    ...["--kill-child", "sh", "-c", ENTER, "sh", root, folder, ...argv],
  ],
});

async function ensureRoot(report: ReportProgress): Promise<string> {
  const roots = join(cacheFolder(), "bench-peers");
  const content = JSON.stringify({ recipe: peersRecipe, arch: arch() });
  const root = join(roots, createHash("sha256").update(content).digest("hex").slice(0, 16));
  if (await orMissing(readdir(root))) return root;
  const draft = `${root}.draft`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true });
  await timed(report, { label: "Debian root for the peers", expectedMs: 120_000 }, async () => {
    await debian(draft);
    await fromPypi(draft);
    await rename(draft, root);
  });
  return root;
}

async function debian(root: string): Promise<void> {
  const { suite, components, packages } = peersRecipe;
  const { options, sources } = debootstrapFrom(await readAptSettings(), { suite, components });
  await run(
    sh`mmdebstrap --mode=root --format=directory --variant=minbase --include=${packages.join(",")} ${options} ${suite} ${root} ${sources}`,
    900,
  );
}

// Fetched by the machine's own pip, as the machine is set up to reach PyPI; installed by the root's Python.
async function fromPypi(root: string): Promise<void> {
  const { python, fromPypi } = peersRecipe;
  const wanted = Object.entries(fromPypi).map(([name, version]) => `${name}==${version}`);
  const machine = arch() === "arm64" ? "aarch64" : "x86_64";
  const platforms = ["2014", "_2_17", "_2_28", "_2_34"].flatMap((libc) => [
    "--platform",
    `manylinux${libc}_${machine}`,
  ]);
  await run(
    sh`pip download --quiet --dest ${root + WHEELS} --only-binary=:all: --python-version ${python} ${platforms} ${wanted}`,
    600,
  );
  await run(sh`chroot ${root} python3 -m venv ${VENV}`, 300);
  await run(
    sh`chroot ${root} ${VENV}/bin/pip install --quiet --no-index --find-links ${WHEELS} ${wanted}`,
    600,
  );
  await rm(root + WHEELS, { recursive: true });
}
