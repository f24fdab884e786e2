import { createReadStream, createWriteStream } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { repacked } from "../artifacts/archive.ts";
import { type Arch, type Artifact, ownFile } from "../artifacts/artifact.ts";
import { runProgram } from "../artifacts/program.ts";
import { inScratch } from "../artifacts/scratch.ts";
import { readAptSettings } from "../machine/apt-settings.ts";
import { debootstrapFrom } from "../machine/debootstrap.ts";

const SUITE = "trixie";
/** Counts with each change of what is in it, so that caches notice. */
const VERSION = `${SUITE}-1`;

/** What kube-proxy and flannel call, and what a person in a container looks around with. */
const PACKAGES = [
  "base-files",
  "bash",
  "conntrack",
  "coreutils",
  "dash",
  "iptables",
  "kmod",
  "libc-bin",
  "libc6",
  "nftables",
];

/** The runtime brings its own devices and resolver; nobody reads manuals in an image. */
const LEFT_OUT =
  /^\.\/(dev\/.|proc\/.|sys\/.|etc\/(hostname|resolv\.conf|apt\/)|usr\/share\/(doc|man|info|locale|lintian|bash-completion)\/|usr\/lib\/[^/]+\/gconv\/|var\/(cache|log|lib\/(apt|dpkg))\/)/;

/** The lowest layer of images whose program needs a userland: a plain tar of Debian packages. */
export function debianBaseArtifact(arch: Arch): Artifact {
  const file = ownFile("debian-base", VERSION, arch);
  return {
    name: "debian-base",
    version: VERSION,
    files: [file],
    released: false,
    buildMs: 6_000,
    build: ({ home, signal }, dir) =>
      inScratch(async (scratch) => {
        const tar = join(scratch, "base.tar");
        const { options, sources } = debootstrapFrom(await readAptSettings(), {
          suite: SUITE,
          components: "main",
        });
        await runProgram(
          {
            argv: [
              "mmdebstrap",
              "--variant=extract",
              `--architectures=${arch}`,
              `--include=${PACKAGES.join(",")}`,
              ...options,
              SUITE,
              tar,
              ...sources,
            ],
            env: { PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` },
          },
          {
            signal,
            purpose: "make the Debian layer of images",
            logFile: join(home, "logs", "debian-base.log"),
            timeoutMs: 10 * 60_000,
          },
        );
        await pipeline(
          repacked(createReadStream(tar), ({ name }) => !LEFT_OUT.test(name)),
          createWriteStream(join(dir, file.path)),
        );
      }),
  };
}

/** Debian makes these when it configures the package; unpacked packages are never configured. */
export const iptablesLinks = ["iptables", "ip6tables"].flatMap((name) =>
  ["", "-save", "-restore"].map((kind) => ({
    name: `usr/sbin/${name}${kind}`,
    linkTo: "xtables-nft-multi",
  })),
);
