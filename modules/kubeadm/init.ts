/** A cluster's first control plane. */
import { z } from "zod";
import { type Change, defineModule, type Host, PlaybookError, run, sh } from "#engine/index.ts";
import { anyApiAt, askCluster, refuseForeign } from "./cluster-answer.ts";
import { kubeadmReset, kubeadmRun } from "./commands.ts";
import { checkAddresses } from "./config/address-rules.ts";
import { initConfig } from "./config/init-config.ts";
import { ClusterParams, NodeParams } from "./config/schema.ts";
import { refuseOtherCluster } from "./differences.ts";
import { type HostState, portOwner, readHostState } from "./host-state.ts";
import { refuseOtherAddress, refuseOtherNode } from "./node-differences.ts";
import { adminConf, inUrl, kubeletConf } from "./paths.ts";

const Params = z
  .strictObject({
    ...NodeParams,
    ...ClusterParams,
    startWithin: z
      .int()
      .min(0)
      .default(120)
      .describe("Seconds that an existing API server may take to answer, as after a boot."),
  })
  .superRefine(checkAddresses);
type Want = z.output<typeof Params>;

// What an interrupted init leaves where its API server already runs: init may go over it again.
const resumable = ({ endpoint }: Want): string[] => [
  "DirAvailable--var-lib-etcd",
  "FileAvailable--etc-kubernetes-manifests-kube-apiserver.yaml",
  "FileAvailable--etc-kubernetes-manifests-kube-controller-manager.yaml",
  "FileAvailable--etc-kubernetes-manifests-kube-scheduler.yaml",
  "FileAvailable--etc-kubernetes-manifests-etcd.yaml",
  ...[endpoint.port, 10259, 10257, 10250, 2379, 2380].map((port) => `Port-${port}`),
];

export const kubeadmInit = defineModule({
  name: "kubeadm-init",
  summary:
    "Keep a host the first control plane of its cluster; begins the cluster where none is, and refuses one that is not as wanted.",
  lasting: "a cluster that began is taken away by kubeadm-reset only, with all its data",
  example: `use.kubeadmInit({
  version: "v1.36.3",
  advertiseAddress: "2001:db8:1::11",
  endpoint: { name: "api.example.net" },
  podSubnet: "2001:db8:2::/56",
  serviceSubnet: "2001:db8:3::/112",
  clusterDns: "2001:db8:3::a",
})`,
  params: Params,
  outputs: z.object({
    caCertHash: z.string().describe("What joins pin: sha256:…"),
    endpoint: z.strictObject({ name: z.string(), port: z.number() }),
  }),

  async read(host, want) {
    const state = await readHostState(host);
    const server = `https://${want.endpoint.name}:${want.endpoint.port}`;
    const standing = await readStanding(host, want, { state, server });
    if (standing === "none") await refuseSecondCluster(host, want, { state, server });
    const { endpoint } = want;
    return { name: host.name, state, standing, endpoint, caCertHash: state.caHash ?? "" };
  },

  *diff(now, want) {
    const { state, standing, name } = now;
    if (standing === "node-gone")
      yield run(sh`systemctl restart kubelet`, `node ${name}: gone from the API → registered`);
    if (standing === "unfinished") yield init(name, resuming(want), "an interrupted init → done");
    if (standing !== "none") return;
    if (state.pending) yield kubeadmReset(want.criSocket, "an interrupted init → nothing");
    yield init(name, want, `cluster ${want.endpoint.name}: none → ${want.version}`);
  },
});

/** How far a cluster is on this host. */
type Standing = "none" | "unfinished" | "node-gone" | "whole";

async function readStanding(host: Host, want: Want, found: Found): Promise<Standing> {
  const { state, server } = found;
  if (!state.adminConf && !state.kubeletConf) return "none";
  const kubeconfig = state.adminConf ? adminConf : kubeletConf;
  if (!state.pending && !(state.adminConf && state.server === server))
    return refuseForeign(host, { kubeconfig, server: state.server });
  if (!state.adminConf) return "none";
  if (!state.pending) refuseOtherAddress(host, want, state);
  const answer = await askCluster(host, {
    kubeconfig,
    node: host.name,
    ready: `https://${inUrl(want.advertiseAddress)}:${want.endpoint.port}`,
    waitSeconds: state.pending ? 20 : want.startWithin,
  });
  const answers = answer.kind === "node" || answer.kind === "unknown-node";
  if (state.pending) return answers ? "unfinished" : "none";
  if (answers) {
    refuseOtherNode(host, want, { state, answer });
    await refuseOtherCluster(host, want);
    return answer.kind === "node" ? "whole" : "node-gone";
  }
  throw new PlaybookError("PB_CLUSTER_DOWN", [host.name, `${server}: ${answer.why}`]);
}

interface Found {
  readonly state: HostState;
  readonly server: string;
}

/** Before a cluster is begun: nobody else may serve its endpoint or hold its port. */
async function refuseSecondCluster(host: Host, want: Want, { state, server }: Found) {
  const [owner, taken] = await Promise.all([
    portOwner(host, want.endpoint.port),
    anyApiAt(host, server),
  ]);
  // Then it is what the interrupted init began, and whoever answers at the endpoint may be that too.
  if (state.pending && owner !== undefined) return;
  if (owner !== undefined)
    throw new PlaybookError("PB_PORT_TAKEN", [host.name, want.endpoint.port, owner]);
  if (taken) throw new PlaybookError("PB_CLUSTER_EXISTS", [host.name, server]);
}

const init = (nodeName: string, want: Want, say: string): Change =>
  kubeadmRun("init", initConfig({ ...want, nodeName }), {
    say,
    flags: ["--skip-token-print", "--skip-certificate-key-print"],
  });

// kubeadm's phases are written to be run again; only its preflight minds what an interrupted init left.
const resuming = (want: Want): Want => ({
  ...want,
  ignorePreflightErrors: [...want.ignorePreflightErrors, ...resumable(want)],
});
