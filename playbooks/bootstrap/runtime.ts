/** What runs containers and Kubernetes on a node: there, checked and of the wanted versions. */
import { type AnyStep, each } from "run-playbook";
import * as use from "run-playbook/modules";
import type { Cluster, ClusterPlay } from "../cluster.ts";

const registry = "registry.k8s.io";
const ofWorkers = /\/(kube-proxy|coredns|pause):/;

/** Declares the phase; what comes back is what a node's next steps wait for. */
export function runtime(
  play: ClusterPlay<{ readonly proof: boolean }>,
  cluster: Cluster,
  hosts: readonly AnyStep[],
): AnyStep[] {
  const { step, phase, params } = play;
  const { nodes, controlPlane, settings } = cluster;
  const { source, versions, quirks, registryMirrors } = settings;
  const after = hosts.map(each);
  return phase("runtime", () => {
    const binaries = step("Kubernetes programs", {
      on: nodes,
      after,
      ensure: use.kubernetesBinaries({ version: versions.kubernetes, source }),
    });
    const lowest =
      versions.runc === undefined
        ? []
        : [
            step("runc", {
              on: nodes,
              after,
              ensure: use.runc({ version: versions.runc, source }),
            }),
          ];
    const containers = step("containerd", {
      on: nodes,
      after: [...after, ...lowest.map(each)],
      ensure: use.containerd({
        version: versions.containerd,
        source,
        sandboxImage: binaries.out.each.pauseImage,
        registryMirrors,
        cgroupDriver: quirks.cgroupDriver,
        restrictOomScoreAdj: quirks.restrictOomScoreAdj,
      }),
    });
    const pulled = step("images", {
      on: nodes,
      after: [each(containers)],
      timeout: "15m",
      ensure: ({ name }) =>
        use.images({
          refs: binaries.out.each.images.map((refs) => [
            ...refs.filter((ref) => controlPlane.hosts.includes(name) || ofWorkers.test(ref)),
            ...(params.proof ? [settings.proofImage] : []),
          ]),
          mirrors: registryMirrors[registry] ?? [],
        }),
    });
    const plugins = step("CNI plugins", {
      on: nodes,
      after,
      ensure: use.cniPlugins({ version: versions.cniPlugins, source }),
    });
    const tools = step("etcd tools", {
      on: controlPlane,
      after,
      ensure: use.etcdTools({ version: versions.etcd, source }),
    });
    return [binaries, containers, pulled, plugins, tools];
  });
}
