import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Arch, type Artifact, ownFile } from "../artifacts/artifact.ts";
import { goBuild } from "../artifacts/go/build.ts";
import { findGo } from "../artifacts/go/toolchain.ts";
import { inScratch } from "../artifacts/scratch.ts";

/** Counts with each change of the source below, so that caches notice. */
const VERSION = "1";

/** The process that keeps a pod's namespaces open: it sleeps, buries orphans, and ends when told to. */
const SOURCE = `package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGCHLD)
	for received := range signals {
		if received != syscall.SIGCHLD {
			os.Exit(0)
		}
		for {
			pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
			if pid <= 0 || err != nil {
				break
			}
		}
	}
}
`;

/** The lab's own pause program: upstream publishes it only inside its image. */
export function pauseArtifact(arch: Arch): Artifact {
  const file = ownFile("pause", VERSION, arch);
  return {
    name: "pause",
    version: VERSION,
    files: [file],
    released: false,
    buildMs: 2_000,
    async build(workshop, dir) {
      const go = await findGo(workshop, "pause");
      await inScratch(async (cwd) => {
        await writeFile(join(cwd, "go.mod"), "module lab/pause\n\ngo 1.21\n");
        await writeFile(join(cwd, "main.go"), SOURCE);
        await goBuild(go, { cwd, packages: ["."], output: join(dir, file.path) });
      });
    },
  };
}
