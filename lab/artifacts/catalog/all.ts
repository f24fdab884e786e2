import { debianBaseArtifact } from "../../images/debian-base.ts";
import { pauseArtifact } from "../../images/pause.ts";
import type { LabVersions } from "../../versions.ts";
import type { Arch } from "../artifact.ts";
import { etcdArtifact } from "./etcd.ts";
import { kubernetesArtifacts } from "./kubernetes.ts";
import {
  cniPluginsArtifact,
  containerdArtifact,
  corednsArtifact,
  flannelArtifact,
  registryArtifact,
} from "./releases.ts";

/** Every program of a lab, by name, in the order of building. */
export const labArtifacts = (versions: LabVersions, arch: Arch) => ({
  ...kubernetesArtifacts(versions.kubernetes, arch),
  etcd: etcdArtifact(versions.etcd, arch),
  containerd: containerdArtifact(versions.containerd, arch),
  cniPlugins: cniPluginsArtifact(versions.cniPlugins, arch),
  coredns: corednsArtifact(versions.coredns, arch),
  flanneld: flannelArtifact(versions.flannel, arch),
  registry: registryArtifact(versions.registry, arch),
  pause: pauseArtifact(arch),
  debianBase: debianBaseArtifact(arch),
});

export type LabArtifact = keyof ReturnType<typeof labArtifacts>;
