import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { writeTgz } from "../archive.ts";
import type { Artifact, ReleaseFile, Workshop } from "../artifact.ts";
import { type GoBuild, goBuild } from "../go/build.ts";
import { downloadModule } from "../go/module.ts";
import { findGo, type Go } from "../go/toolchain.ts";
import { inScratch } from "../scratch.ts";

interface ArchivedPrograms {
  readonly name: string;
  readonly version: string;
  readonly file: ReleaseFile;
  /** The folder in the archive: "bin/", "./", as upstream's. */
  readonly prefix: string;
  readonly buildMs: number;
  /** Puts the programs, and nothing else, into `dir`. */
  readonly programs: (go: Go, workshop: Workshop, dir: string) => Promise<void>;
}

/** An artifact that is one .tar.gz of programs. */
export const archivedPrograms = (spec: ArchivedPrograms): Artifact => ({
  name: spec.name,
  version: spec.version,
  files: [spec.file],
  released: true,
  buildMs: spec.buildMs,
  async build(workshop, dir) {
    const go = await findGo(workshop, `${spec.name} ${spec.version}`);
    await inScratch(async (scratch) => {
      await spec.programs(go, workshop, scratch);
      const programs = await readdir(scratch);
      await writeTgz(
        join(dir, spec.file.path),
        programs.map((name) => ({
          name: `${spec.prefix}${name}`,
          mode: 0o755,
          file: join(scratch, name),
        })),
      );
    });
  },
});

interface ModulePrograms extends Omit<GoBuild, "cwd" | "output"> {
  readonly module: string;
  readonly version: string;
}

/** Builds packages of a module in its own, unchanged source, with the dependencies that it names. */
export async function buildFromModule(go: Go, spec: ModulePrograms, output: string): Promise<void> {
  const { Dir } = await downloadModule(go, spec.module, spec.version);
  await goBuild(go, { ...spec, cwd: Dir, output });
}
