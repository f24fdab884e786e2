/** Back to bare hosts: everything that bootstrap.ts brought is taken away, the cluster and its data with it. */
import { each, playbook } from "run-playbook";
import * as use from "run-playbook/modules";
import { ClusterSettings, clusterOf, groups, NodeSettings, sysctlFile } from "./cluster.ts";

export default playbook(
  "reset",
  {
    summary: "Take a cluster off its hosts, with all its data; snapshots stay where they are.",
    groups,
    settings: ClusterSettings,
    hostSettings: NodeSettings,
    confirm: ({ hosts, settings }) =>
      `Delete the cluster ${settings.endpoint.name} and all its data from ${hosts.map(({ name }) => name).join(", ")}?`,
  },
  (play) => {
    const { step } = play;
    const { nodes, controlPlane, settings, plan, addressOf } = clusterOf(play);
    const { versions, source } = settings;
    const absent = { source, state: "absent" } as const;

    const address = step("virtual IP", {
      on: controlPlane,
      ensure: (host) =>
        use.virtualIp({
          address: plan.virtualIp,
          self: addressOf(host),
          hosts: controlPlane.hosts.map((name) => addressOf({ name })),
          state: "absent",
        }),
    });
    const members = step("Kubernetes", {
      on: nodes,
      timeout: "10m",
      ensure: use.kubeadmReset({}),
    });
    const kubernetes = step("Kubernetes programs", {
      on: nodes,
      after: [each(members)],
      ensure: use.kubernetesBinaries({ version: versions.kubernetes, ...absent }),
    });
    const containers = step("containerd", {
      on: nodes,
      after: [each(kubernetes)],
      ensure: use.containerd({ version: versions.containerd, sandboxImage: "", ...absent }),
    });
    step("pod network", {
      on: nodes,
      after: [each(members)],
      ensure: (host) => use.cniRouted({ node: host.name, nodes: [], state: "absent" }),
    });
    step("CNI plugins", {
      on: nodes,
      after: [each(containers)],
      ensure: use.cniPlugins({ version: versions.cniPlugins, ...absent }),
    });
    step("etcd tools", {
      on: controlPlane,
      after: [each(members)],
      ensure: use.etcdTools({ version: versions.etcd, ...absent }),
    });
    if (versions.runc !== undefined)
      step("runc", {
        on: nodes,
        after: [each(containers)],
        ensure: use.runc({ version: versions.runc, ...absent }),
      });
    step("count of IPv4 packets", { on: nodes, ensure: use.ipv4Watch({ state: "absent" }) });
    step("names of all nodes", {
      on: nodes,
      after: [each(members)],
      ensure: use.hostsFile({ state: "absent" }),
    });
    step("forwarding", {
      on: nodes,
      ensure: use.sysctl({ file: sysctlFile, values: {}, state: "absent" }),
    });
    step("packages", {
      on: nodes,
      after: [each(address), each(containers)],
      timeout: "15m",
      ensure: use.apt({
        absent: ["keepalived", ...(versions.runc === undefined ? ["runc"] : [])],
        purge: true,
      }),
    });
  },
);
