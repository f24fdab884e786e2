import type { LabCluster } from "./lab-cluster.ts";

/** Where the proof's workload of a cluster of cp1 and w1 is. */
export interface ProofPlaces {
  readonly podCp1: string;
  readonly podW1: string;
  readonly uidW1: string;
  readonly nameW1: string;
  readonly service: string;
  readonly nodePort: string;
}

/** Something that breaks the subject of one proof. */
export interface ProofFault {
  /** The gates that then do not hold, as "gate on host". */
  readonly fails: readonly string[];
  /** Of what such a gate says. */
  readonly says: RegExp;
  makes(): Promise<unknown>;
  mends(): Promise<unknown>;
}

type Faults = Readonly<Record<string, ProofFault>>;

/** Asks the cluster. */
export async function proofPlaces(cluster: LabCluster): Promise<ProofPlaces> {
  const get = (what: readonly string[], path: string) =>
    cluster.kubectl("-n", "run-playbook-proof", "get", ...what, "-o", `jsonpath=${path}`);
  const pod = (node: string, path: string) =>
    get(["pods", "--field-selector", `spec.nodeName=${node}`], `{.items[0]${path}}`);
  const service = (path: string) => get(["service", "agnhost"], path);
  return {
    podCp1: await pod("cp1", ".status.podIP"),
    podW1: await pod("w1", ".status.podIP"),
    uidW1: await pod("w1", ".metadata.uid"),
    nameW1: await pod("w1", ".metadata.name"),
    service: await service("{.spec.clusterIP}"),
    nodePort: await service("{.spec.ports[0].nodePort}"),
  };
}

/** IPv4 comes into use again. */
export const ipv4Faults = (cluster: LabCluster): Faults => ({
  "an IPv4 address on a host": {
    fails: ["no IPv4 address on w1"],
    says: /192\.0\.2\.21\/24 on eth0/,
    makes: () => cluster.on("w1", "ip", "address", "add", "192.0.2.21/24", "dev", "eth0"),
    mends: () => cluster.on("w1", "ip", "address", "del", "192.0.2.21/24", "dev", "eth0"),
  },
  "a program that listens on IPv4 only": {
    fails: ["no listener for IPv4 only on w1"],
    says: /systemd-socket.* on 0\.0\.0\.0, tcp 7777/,
    makes: () => cluster.listen("w1", "0.0.0.0:7777"),
    mends: () => cluster.unlisten("w1"),
  },
  "one IPv4 packet on the wire": {
    fails: ["no IPv4 packet on w1"],
    says: /[1-9]\d* IPv4 packets: see who/,
    makes: () =>
      cluster.sh(
        "w1",
        "ip address add 192.0.2.21/24 dev eth0; bash -c 'echo >/dev/udp/192.0.2.22/9'; ip address del 192.0.2.21/24 dev eth0",
      ),
    mends: () => cluster.on("w1", "nft", "reset", "counters", "table", "ip", "run_playbook_ipv4"),
  },
});

/** Packets that should pass do not. */
export const networkFaults = (cluster: LabCluster, at: ProofPlaces): Faults => {
  const dropped = (hook: string, what: string) => {
    const rule = `type filter hook ${hook}; ${what} drop;`;
    return {
      makes: () => cluster.on("w1", "nft", `table ip6 fault { chain drops { ${rule} }; }`),
      mends: () => cluster.on("w1", "nft", "delete", "table", "ip6", "fault"),
    };
  };
  return {
    "pods that do not reach the pods of another node": {
      fails: ["pods reach pods on w1"],
      says: /from the pod on w1: the pod on cp1 .*ip -6 route get/,
      // Only what a pod sends straight to a pod: what was sent to a Service has had its address changed.
      ...dropped(
        "forward priority filter",
        `ip6 saddr ${at.podW1} ip6 daddr ${at.podCp1} tcp dport 8080 ct direction original ct status & dnat == 0`,
      ),
    },
    "a Service that a node's pods do not reach": {
      fails: ["pods reach Services on w1"],
      says: /nft list table ip6 kube-proxy/,
      ...dropped("prerouting priority raw", `ip6 daddr ${at.service}`),
    },
    "a host that does not reach the pods of another": {
      fails: ["hosts reach pods on w1"],
      says: /from w1: the pod on cp1/,
      ...dropped("output priority raw", `ip6 daddr ${at.podCp1} tcp dport 8080`),
    },
    "a host whose NodePort is blocked": {
      fails: ["hosts reach NodePorts on cp1"],
      says: /from cp1, port \d+ of w1 .*a firewall between/,
      ...dropped("prerouting priority raw", `tcp dport ${at.nodePort}`),
    },
  };
};

/** Names that pods ask for. */
export const nameFaults = (cluster: LabCluster, at: ProofPlaces): Faults => {
  const name = "kubernetes.default.svc.cluster.local";
  // What every container of the pod has as /etc/hosts: the kubelet's own file.
  const hosts = `/var/lib/kubelet/pods/${at.uidW1}/etc-hosts`;
  const answeredBy = (app: string) =>
    cluster.kubectl(
      ...["-n", "kube-system", "patch", "service", "kube-dns"],
      ...["-p", JSON.stringify({ spec: { selector: { "k8s-app": app } } })],
    );
  return {
    "a pod that knows another address for a name": {
      fails: ["pods resolve names over IPv6 on w1"],
      says: /kubernetes\.default\.svc\.cluster\.local is 2001:db8::1, not /,
      makes: () => cluster.sh("w1", `echo 2001:db8::1 ${name} >>${hosts}`),
      // Written over in place: the container has this very file, not its name.
      mends: () => cluster.sh("w1", `kept=$(grep -v 2001:db8::1 ${hosts}); echo "$kept" >${hosts}`),
    },
    "a Service of DNS that no pod answers": {
      // Pods reach a Service by its name, too.
      fails: [
        "pods reach Services on cp1",
        "pods reach Services on w1",
        "pods resolve names over IPv6 on cp1",
        "pods resolve names over IPv6 on w1",
      ],
      says: /k8s-app=kube-dns/,
      makes: () => answeredBy("nobody"),
      mends: () => answeredBy("kube-dns"),
    },
  };
};

/** Nodes and pods that are not ready. */
export const readinessFaults = (cluster: LabCluster, at: ProofPlaces): Faults => {
  const kubelet = (signal: string) =>
    cluster.on("w1", "systemctl", "kill", `--signal=${signal}`, "kubelet");
  const pods = (...args: string[]) => cluster.kubectl("-n", "run-playbook-proof", ...args);
  const mends = async () => {
    await kubelet("CONT");
    await cluster.kubectl("wait", "--for=condition=Ready", "node/w1", "--timeout=60s");
    await pods("wait", "--for=condition=Ready", "pods", "--all", "--timeout=90s");
  };
  return {
    "a pod of the proof that is not ready": {
      fails: ["proof workload runs on cp1"],
      says: /no ready pod on w1/,
      // Its kubelet would put that right within seconds: it is held still meanwhile.
      makes: async () => {
        await kubelet("STOP");
        const status = { conditions: [{ type: "Ready", status: "False" }] };
        const patch = ["--subresource=status", "-p", JSON.stringify({ status })];
        await pods("patch", "pod", at.nameW1, ...patch);
      },
      mends,
    },
    "a node whose kubelet hangs": {
      fails: ["all nodes are Ready on cp1"],
      says: /w1/,
      makes: async () => {
        await kubelet("STOP");
        const lost = ["--for=condition=Ready=Unknown", "--timeout=100s"];
        await cluster.kubectl("wait", "node/w1", ...lost);
      },
      mends,
    },
  };
};

/** What the API says, and what was saved of it. */
export const clusterFaults = (cluster: LabCluster): Faults => ({
  "a node with an address of each family": {
    fails: ["nodes have IPv6 addresses only on cp1"],
    says: /w1 has 192\.0\.2\.21/,
    // Its kubelet would put that right within seconds: it is held still meanwhile.
    makes: async () => {
      await cluster.on("w1", "systemctl", "kill", "--signal=STOP", "kubelet");
      const value = { type: "InternalIP", address: "192.0.2.21" };
      await patchNode(cluster, [{ op: "add", path: "/status/addresses/-", value }]);
    },
    mends: async () => {
      const said = await cluster.kubectl("get", "node", "w1", "-o", "jsonpath={.status.addresses}");
      const addresses = JSON.parse(said) as { address: string }[];
      const value = addresses.filter(({ address }) => address !== "192.0.2.21");
      await patchNode(cluster, [{ op: "replace", path: "/status/addresses", value }]);
      await cluster.on("w1", "systemctl", "kill", "--signal=CONT", "kubelet");
      await cluster.kubectl("wait", "--for=condition=Ready", "node/w1", "--timeout=60s");
    },
  },
  "a Service that would take both families": {
    fails: ["Services are IPv6 only on cp1"],
    says: /kube-system\/kube-dns is PreferDualStack IPv6/,
    makes: () => familyPolicy(cluster, "PreferDualStack"),
    mends: () => familyPolicy(cluster, "SingleStack"),
  },
  "a replica of DNS that no node takes": {
    fails: ["DNS is on different nodes on cp1"],
    says: /2 of 2 replicas are Ready, on cp1, w1 \(kubectl/,
    makes: () =>
      cluster.kubectl(
        ...["-n", "kube-system", "run", "spare", "--image=registry.k8s.io/pause:3.10.2"],
        ...["--labels=k8s-app=kube-dns", "--overrides", nowhere],
      ),
    mends: () => cluster.kubectl("-n", "kube-system", "delete", "pod", "spare"),
  },
  "a snapshot that is no database, whatever its checksum says": {
    fails: ["the snapshot is whole on cp1"],
    says: /etcdutl cannot read \/var\/backups\/etcd\/etcd-/,
    makes: () => snapshot(cluster, "cp $db /root/kept; truncate -s 20000 $db"),
    mends: () => snapshot(cluster, "cp /root/kept $db"),
  },
});

const nowhere = JSON.stringify({ spec: { nodeSelector: { "no-such": "node" } } });

const patchNode = (cluster: LabCluster, patch: readonly unknown[]) =>
  cluster.kubectl(
    ...["patch", "node", "w1", "--subresource=status"],
    ...["--type=json", "-p", JSON.stringify(patch)],
  );

const familyPolicy = (cluster: LabCluster, ipFamilyPolicy: string) =>
  cluster.kubectl(
    ...["-n", "kube-system", "patch", "service", "kube-dns"],
    ...["-p", JSON.stringify({ spec: { ipFamilyPolicy } })],
  );

const snapshot = (cluster: LabCluster, line: string) =>
  cluster.sh(
    "cp1",
    `cd /var/backups/etcd && for db in etcd-*.db; do ${line}; sha256sum $db >$db.sha256; done`,
  );
