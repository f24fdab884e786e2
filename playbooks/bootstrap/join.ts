/** Every other node. Invitations exist only while somebody waits for one. */
import { type AnyStep, combine, each } from "run-playbook";
import * as use from "run-playbook/modules";
import type { Cluster, ClusterHost, ClusterPlay } from "../cluster.ts";
import type { FirstControlPlane } from "./control-plane.ts";

/** Declares the phase; what comes back says that all nodes are members. */
export function joined(play: ClusterPlay, cluster: Cluster, first: FirstControlPlane): AnyStep[] {
  const { step, gate, phase } = play;
  const { settings, nodes, addressOf, workers } = cluster;
  const { controlPlane } = cluster;
  const { ready, caCertHash } = first;
  const { kubernetes: version } = settings.versions;
  return phase("join", () => {
    const membership = step("membership", {
      on: nodes.except(controlPlane.first),
      after: [ready, ...first.machines.map(each)],
      ensure: use.kubeadmMembership({ caCertHash }),
    });
    const { name, joined: isIn } = membership.out.all;
    const absent = combine({ name, isIn }).map((all) => all.name.filter((_, at) => !all.isIn[at]));
    const cleared = step("stale members", {
      on: controlPlane.first,
      ensure: use.kubeadmStaleMembers({
        notJoined: absent.map((names) =>
          names.map((one) => ({ name: one, address: addressOf({ name: one }) })),
        ),
      }),
    });
    const invitation = step("invitation", {
      on: controlPlane.first,
      after: [cleared],
      ensure: use.kubeadmToken({
        needed: absent.map((names) => names.length > 0),
        controlPlane: absent.map((names) => names.some((one) => controlPlane.hosts.includes(one))),
        version,
        advertiseAddress: addressOf({ name: controlPlane.hosts[0] ?? "" }),
      }),
    });
    const join = (host: ClusterHost, role: "control-plane" | "worker") =>
      use.kubeadmJoin({
        role,
        version,
        advertiseAddress: addressOf(host),
        endpoint: settings.endpoint,
        caCertHash,
        token: invitation.out.token,
        certificateKey: invitation.out.certificateKey,
        ignorePreflightErrors: settings.quirks.ignorePreflightErrors,
      });
    const servers = step("further control planes", {
      on: controlPlane.rest,
      after: [each(membership), each(first.virtualIp)],
      timeout: "15m",
      // etcd takes one learner at a time.
      rolling: { batch: 1 },
      ensure: (host) => join(host, "control-plane"),
    });
    const agents = step("workers", {
      on: workers,
      after: [each(membership)],
      timeout: "15m",
      ensure: (host) => join(host, "worker"),
    });
    const kubelet = step("kubelet", {
      on: nodes,
      after: [ready, each(servers), each(agents)],
      ensure: use.service({
        name: "kubelet.service",
        restartAfter: ["/usr/local/bin/kubelet", "/etc/systemd/system/kubelet.service"],
      }),
    });
    const known = gate("all nodes are known", {
      on: controlPlane.first,
      after: [servers, agents, kubelet],
      within: "2m",
      until: use.nodesRegistered({ nodes: [...nodes.hosts] }),
    });
    return [known, first.dns];
  });
}
