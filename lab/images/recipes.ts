import type { Member } from "../artifacts/archive.ts";
import type { LabArtifact } from "../artifacts/catalog/all.ts";
import { iptablesLinks } from "./debian-base.ts";
import type { ImageConfig } from "./oci.ts";

/** A program in an image: the artifact's only file, or one of its archive's. */
export interface ImageProgram {
  readonly artifact: LabArtifact;
  /** Its name in the artifact's archive. */
  readonly member?: string;
  /** Its path in the image, without the first slash. */
  readonly to: string;
}

/** What goes into an image of the lab; paths and entry points are upstream's, since manifests rely on them. */
export interface ImageRecipe {
  readonly programs: readonly ImageProgram[];
  readonly config: ImageConfig;
  /** On top of Debian's userland instead of nothing. */
  readonly debian?: true;
  readonly extra?: readonly Member[];
}

/** Recipes by the last part of the image's name. `etcdFolder` is the folder in etcd's archive. */
export const imageRecipes = (etcdFolder: string): Readonly<Record<string, ImageRecipe>> => ({
  ...Object.fromEntries(
    (["kube-apiserver", "kube-controller-manager", "kube-scheduler"] as const).map((name) => [
      name,
      kubernetesImage(name),
    ]),
  ),
  "kube-proxy": { ...kubernetesImage("kube-proxy"), debian: true, extra: iptablesLinks },
  etcd: {
    programs: ["etcd", "etcdctl", "etcdutl"].map((name) => ({
      artifact: "etcd",
      member: `${etcdFolder}/${name}`,
      to: `usr/local/bin/${name}`,
    })),
    config: { Cmd: ["/usr/local/bin/etcd"] },
  },
  coredns: {
    programs: [{ artifact: "coredns", member: "coredns", to: "coredns" }],
    config: { Entrypoint: ["/coredns"] },
  },
  pause: {
    programs: [{ artifact: "pause", to: "pause" }],
    config: { Entrypoint: ["/pause"], User: "65535:65535" },
  },
  flannel: {
    programs: [{ artifact: "flanneld", to: "opt/bin/flanneld" }],
    config: { Entrypoint: ["/opt/bin/flanneld"] },
    debian: true,
    extra: iptablesLinks,
  },
  agnhost: {
    programs: [{ artifact: "agnhost", to: "agnhost" }],
    config: { Entrypoint: ["/agnhost"], Cmd: ["pause"] },
    // As upstream's has: a shell, and getent to look names up with the C library's resolver.
    debian: true,
  },
});

const kubernetesImage = (
  name: "kube-apiserver" | "kube-controller-manager" | "kube-scheduler" | "kube-proxy",
): ImageRecipe => ({
  programs: [{ artifact: name, to: `usr/local/bin/${name}` }],
  config: { Entrypoint: [`/usr/local/bin/${name}`] },
});
