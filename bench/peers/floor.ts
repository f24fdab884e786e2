import { mkdir, readFile, writeFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";
import { floorWork } from "../floor/job.ts";
import type { BenchHosts } from "../hosts.ts";
import type { Command } from "../measure.ts";
import { checks } from "../workload.ts";
import type { Peer } from "./peer.ts";

const root = join(import.meta.dirname, "../..");
// Below node_modules, so that it finds ssh2 there.
const built = join(root, "node_modules/.cache/bench");

/** The least that this work can cost over ssh2. */
export async function floor(folder: string): Promise<Peer> {
  const program = await floorProgram();
  const { version } = JSON.parse(
    await readFile(join(root, "node_modules/ssh2/package.json"), "utf8"),
  );
  return {
    name: "floor",
    version: `ssh2 ${version}, Node ${process.versions.node}`,
    settings: "one connection a host, all at once; one script for all 20 checks",
    command: (on) => program(folder, on, floorWork),
    changed({ stdout }) {
      return JSON.parse(stdout).changed * checks;
    },
  };
}

type Scripts = Partial<typeof floorWork>;

/** The floor's program, its types stripped once and not at every start; without scripts it only connects. */
export async function floorProgram() {
  await mkdir(built, { recursive: true });
  const source = await readFile(join(root, "bench/floor/floor.ts"), "utf8");
  const file = join(built, "floor.mjs");
  await writeFile(file, stripTypeScriptTypes(source));
  return async (folder: string, on: BenchHosts, scripts: Scripts): Promise<Command> => {
    const job = join(folder, "floor.json");
    await writeFile(job, JSON.stringify({ ...on, ...scripts }));
    return { argv: [process.execPath, file, job] };
  };
}
