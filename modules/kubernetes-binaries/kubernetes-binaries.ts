/** kubeadm, kubelet and kubectl, and the kubelet's unit. */
import { z } from "zod";
import { defineModule, run, sh } from "#engine/index.ts";
import { templateFile } from "#engine/template/template.ts";
import { KubernetesVersion } from "../kubeadm/config/schema.ts";
import { keepAway, keepFile, readManaged } from "../managed-file.ts";
import {
  keepReleases,
  ReleaseParams,
  readReleases,
  releaseArch,
  undoReleases,
} from "../release.ts";
import { undoFiles } from "../undo-file.ts";
import { refuseOtherVersion } from "./standing-version.ts";

const unitPath = "/etc/systemd/system/kubelet.service";
const dropInPath = "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf";
const binaries = "/usr/local/bin";

const unit = templateFile<{ binaries: string }>(new URL("kubelet.service.hbs", import.meta.url));
const dropIn = templateFile<{ binaries: string }>(new URL("10-kubeadm.conf.hbs", import.meta.url));

export const kubernetesBinaries = defineModule({
  name: "kubernetes-binaries",
  summary: "Keep kubeadm, kubelet and kubectl at a version, and the kubelet enabled at boot.",
  example: `use.kubernetesBinaries({ version: "v1.36.3" })`,
  params: z.strictObject({
    version: KubernetesVersion.describe("With its v."),
    ...ReleaseParams,
    programs: z
      .array(z.enum(["kubeadm", "kubelet", "kubectl"]))
      .default(["kubeadm", "kubelet", "kubectl"])
      .describe("Which of them."),
  }),

  outputs: z.object({
    images: z
      .array(z.string())
      .describe("The images that kubeadm of this version names; none before it is there."),
    pauseImage: z.string().describe("The one of them that keeps a pod's namespaces."),
  }),

  async read(host, want) {
    const base = `dl.k8s.io/release/${want.version}/bin/linux/${releaseArch(host)}`;
    const releases = want.programs.map((name) => ({
      from: `${base}/${name}`,
      sums: `${base}/${name}.sha256`,
      path: `${binaries}/${name}`,
    }));
    const [found, unitNow, dropInNow, enabled, listed] = await Promise.all([
      readReleases(host, want, releases),
      readManaged(host, unitPath),
      readManaged(host, dropInPath),
      host.run(sh`systemctl is-enabled kubelet.service`),
      host.run(sh`kubeadm config images list --kubernetes-version ${want.version}`),
    ]);
    // Asked only then: it takes a call to the API.
    const changes = want.state === "present" && !keepReleases(found).next().done;
    if (changes) await refuseOtherVersion(host, want.version);
    const images = listed.code === 0 ? listed.stdout.split("\n").filter(Boolean) : [];
    return {
      releases: found,
      unitNow,
      dropInNow,
      enabled: enabled.stdout.trim(),
      images,
      pauseImage: images.find((ref) => ref.includes("/pause:")) ?? "",
    };
  },

  *diff(now, want) {
    if (want.state === "absent") {
      if (now.enabled === "enabled")
        yield run(sh`systemctl disable --now kubelet.service`, "kubelet: enabled → disabled");
      yield* keepAway(now.dropInNow, dropInPath);
      yield* keepAway(now.unitNow, unitPath);
      yield* keepReleases(now.releases);
      return;
    }
    yield* keepReleases(now.releases);
    const files = [
      ...keepFile(now.unitNow, { path: unitPath, content: unit({ binaries }) }),
      ...keepFile(now.dropInNow, { path: dropInPath, content: dropIn({ binaries }) }),
    ];
    yield* files;
    if (files.length > 0) yield run(sh`systemctl daemon-reload`, "kubelet's unit: reload");
    if (now.enabled !== "enabled")
      yield run(
        sh`systemctl enable kubelet.service`,
        `kubelet: ${now.enabled || "absent"} → enabled`,
      );
  },

  *undo(before, now) {
    const isOn = now.enabled === "enabled";
    if (isOn && before.enabled !== "enabled")
      yield run(sh`systemctl disable --now kubelet.service`, "kubelet: enabled → disabled");
    const files = [
      ...undoFiles(
        { path: dropInPath, before: before.dropInNow, now: now.dropInNow },
        { path: unitPath, before: before.unitNow, now: now.unitNow },
      ),
    ];
    yield* files;
    yield* undoReleases(before.releases, now.releases);
    if (files.length > 0) yield run(sh`systemctl daemon-reload`, "kubelet's unit: reload");
    if (!isOn && before.enabled === "enabled")
      yield run(sh`systemctl enable kubelet.service`, "kubelet: disabled → enabled");
  },
});
