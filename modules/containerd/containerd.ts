/** The container runtime. */
import { z } from "zod";
import { type Change, defineModule, PlaybookError, remove } from "#engine/index.ts";
import { templateFile } from "#engine/template/template.ts";
import { ImageRef, Registry } from "../cluster-params.ts";
import { emptyFolder, filledFolders } from "../emptied-folder.ts";
import { keepAway, keepFile, readManaged } from "../managed-file.ts";
import { Url } from "../params.ts";
import {
  keepReleases,
  ReleaseParams,
  readReleases,
  releaseArch,
  undoReleases,
  Version,
} from "../release.ts";
import { undoFiles } from "../undo-file.ts";
import {
  dropUnitProcess,
  keepUnitProcess,
  readUnitProcess,
  undoUnitProcess,
} from "../unit-process.ts";
import { certsFolder, keepMirrors, mirrorsBack, readMirrors } from "./mirrors.ts";

const unit = "containerd.service";
const configPath = "/etc/containerd/config.toml";
const unitPath = `/etc/systemd/system/${unit}`;
const dataFolder = "/var/lib/containerd";
const members = ["bin/containerd", "bin/containerd-shim-runc-v2", "bin/ctr"];

const Params = z.strictObject({
  version: Version.describe("With its v; 1.x and 2.x."),
  ...ReleaseParams,
  sandboxImage: ImageRef.describe(
    "What keeps a pod's namespaces; the one that kubeadm's version names.",
  ),
  registryMirrors: z
    .record(
      Registry,
      // containerd asks without them.
      z.array(Url.refine((url) => !/[?#]/.test(url), "expected an address without ? and #")),
    )
    .default({})
    .describe(
      "Registry host to mirrors, tried in order before the registry itself; a mirror's path, where it has one, is the root of the registry's API there.",
    ),
  cgroupDriver: z
    .enum(["systemd", "cgroupfs"])
    .default("systemd")
    .describe("The same as the kubelet's."),
  restrictOomScoreAdj: z
    .boolean()
    .default(false)
    .describe("For hosts without CAP_SYS_RESOURCE, where no OOM score can be lowered."),
});
type Want = z.output<typeof Params>;

interface ConfigValues extends Readonly<Record<string, unknown>> {
  readonly sandboxImage: string;
  readonly certsFolder: string;
  readonly systemdCgroup: boolean;
  readonly restrictOomScoreAdj: boolean;
}

const config = {
  v2: templateFile<ConfigValues>(new URL("config-v2.toml.hbs", import.meta.url)),
  v3: templateFile<ConfigValues>(new URL("config-v3.toml.hbs", import.meta.url)),
};
const unitFile = templateFile<{ lowerOomScore: boolean }>(
  new URL("containerd.service.hbs", import.meta.url),
);

export const containerd = defineModule({
  name: "containerd",
  summary: "Keep containerd at a version, configured for Kubernetes, running its configuration.",
  example: `use.containerd({
  version: "v2.2.1",
  sandboxImage: "registry.k8s.io/pause:3.10.2",
  registryMirrors: { "registry.k8s.io": ["http://[2001:db8:1::5]:5000"] },
})`,
  params: Params,

  async read(host, want) {
    const file = `containerd-${want.version.slice(1)}-linux-${releaseArch(host)}.tar.gz`;
    const from = `github.com/containerd/containerd/releases/download/${want.version}/${file}`;
    const release = { from, sums: `${from}.sha256sum`, path: "/usr/local" };
    const started = [configPath, unitPath, "/usr/local/bin/containerd"];
    const [releases, configNow, unitNow, process, filled, hosts] = await Promise.all([
      readReleases(host, want, [{ ...release, unpack: { strip: 0, only: members } }]),
      readManaged(host, configPath),
      readManaged(host, unitPath),
      readUnitProcess(host, unit, { files: started }),
      filledFolders(host, [dataFolder]),
      readMirrors(host, want.registryMirrors),
    ]);
    return { releases, configNow, unitNow, process, filled, hosts };
  },

  *diff(now, want) {
    if (want.state === "absent") {
      yield* dropUnitProcess(unit, now.process);
      yield* keepAway(now.unitNow, unitPath);
      if (now.configNow.lacks.length === 0) yield remove("/etc/containerd");
      for (const folder of now.filled) yield emptyFolder(folder);
      yield* keepReleases(now.releases);
      return;
    }
    const programs = [...keepReleases(now.releases)];
    const files = [...keepFile(now.configNow, { path: configPath, content: render(want) })];
    const lowerOomScore = !want.restrictOomScoreAdj;
    const content = unitFile({ lowerOomScore });
    const units = [...keepFile(now.unitNow, { path: unitPath, content })];
    yield* programs;
    yield* files;
    yield* keepMirrors(now.hosts);
    yield* units;
    yield* keepUnitProcess(unit, now.process, {
      unit: units.length > 0,
      files: differs(programs) || differs(files),
    });
  },

  *undo(before, now, want) {
    const lost = [
      ...before.filled,
      ...(before.configNow.lacks.length === 0 ? ["/etc/containerd"] : []),
    ];
    if (want.state === "absent" && lost.length > 0)
      throw new PlaybookError("PB_UNDO_LOST", [lost.join(", "), "what is in it is not kept"]);
    const hosts = mirrorsBack(before.hosts, now.hosts);
    const config = { path: configPath, before: before.configNow, now: now.configNow };
    const unitBack = { path: unitPath, before: before.unitNow, now: now.unitNow };
    const files = [
      ...undoFiles(config, ...hosts),
      ...undoReleases(before.releases, now.releases),
      ...now.filled.filter((folder) => !before.filled.includes(folder)).map(emptyFolder),
    ];
    const process = { before: before.process, now: now.process };
    yield* undoUnitProcess(unit, process, { files, unit: [...undoFiles(unitBack)] });
  },
});

const differs = (changes: readonly Change[]) => changes.length > 0;

// Version 3 came with containerd 2.0, which renamed the plugins; 1.x reads version 2.
function render(want: Want): string {
  const { sandboxImage, restrictOomScoreAdj, version } = want;
  const systemdCgroup = want.cgroupDriver === "systemd";
  const values = { sandboxImage, certsFolder, systemdCgroup, restrictOomScoreAdj };
  return (version.startsWith("v1.") ? config.v2 : config.v3)(values);
}
