/** The API's address, and the first control plane behind it. */
import { type AnyStep, each, type Ref } from "run-playbook";
import * as use from "run-playbook/modules";
import type { Cluster, ClusterPlay } from "../cluster.ts";

/** What joins need to know of the first control plane. */
export interface FirstControlPlane {
  readonly ready: AnyStep;
  readonly dns: AnyStep;
  readonly virtualIp: AnyStep;
  readonly caCertHash: Ref<string>;
  /** What each node waits for on itself. */
  readonly machines: readonly AnyStep[];
}

/** Declares the phase. */
export function controlPlane(
  play: ClusterPlay,
  cluster: Cluster,
  machines: readonly AnyStep[],
): FirstControlPlane {
  const { step, gate, phase } = play;
  const { plan, settings, server, addressOf } = cluster;
  const addresses = cluster.controlPlane.hosts.map((name) => addressOf({ name }));
  const [firstAddress = ""] = addresses;
  return phase("control plane", () => {
    const virtualIp = step("virtual IP", {
      on: cluster.controlPlane,
      after: machines.map(each),
      ensure: (host) =>
        use.virtualIp({
          address: plan.virtualIp,
          self: addressOf(host),
          hosts: addresses,
          port: settings.endpoint.port,
        }),
    });
    const init = step("first control plane", {
      on: cluster.controlPlane.first,
      after: [each(virtualIp), ...machines.map(each)],
      timeout: "15m",
      ensure: use.kubeadmInit({
        version: settings.versions.kubernetes,
        advertiseAddress: firstAddress,
        endpoint: settings.endpoint,
        podSubnet: plan.pods,
        podMask: plan.podMask,
        serviceSubnet: plan.services,
        clusterDns: plan.clusterDns,
        // Each API server has its own address in its certificate anyway.
        certSANs: [settings.endpoint.name, plan.virtualIp],
        ignorePreflightErrors: settings.quirks.ignorePreflightErrors,
        kubelet: settings.quirks.kubelet,
        kubeProxy: settings.quirks.kubeProxy,
      }),
    });
    const ready = gate("API at the virtual IP", {
      on: cluster.controlPlane.first,
      after: [init],
      within: "2m",
      until: use.apiReady({ server }),
    });
    // Before any node is Ready, so that no replica has to move.
    const dns = step("cluster DNS", {
      on: cluster.controlPlane.first,
      after: [ready],
      ensure: use.kubernetesObject({
        objects: use.clusterDnsObjects({
          replicas: cluster.dnsReplicas,
          version: settings.versions.kubernetes,
        }),
      }),
    });
    return { ready, dns, virtualIp, caCertHash: init.out.caCertHash, machines };
  });
}
