/** Every further node of a cluster: control planes and workers. */
import { z } from "zod";
import { defineModule, type Host, PlaybookError, run, secret, sh } from "#engine/index.ts";
import { CaCertHash } from "../cluster-params.ts";
import { askCluster, refuseForeign } from "./cluster-answer.ts";
import { kubeadmReset, kubeadmRun } from "./commands.ts";
import { joinConfig } from "./config/join-config.ts";
import { Endpoint, NodeParams } from "./config/schema.ts";
import { type HostState, portOwner, readHostState } from "./host-state.ts";
import { refuseOtherAddress, refuseOtherNode } from "./node-differences.ts";
import { adminConf, inUrl, kubeletConf } from "./paths.ts";

// They go into YAML as they are; empty where no join was pending when they were asked for.
const Token = secret().refine(
  (token) => /^([a-z0-9]{6}\.[a-z0-9]{16})?$/.test(token.reveal()),
  "expected a bootstrap token",
);
const CertificateKey = secret().refine(
  (key) => /^([0-9a-f]{64})?$/.test(key.reveal()),
  "expected a key of 64 hexadecimal digits",
);

const Params = z.strictObject({
  ...NodeParams,
  role: z.enum(["control-plane", "worker"]).describe("What it joins as."),
  endpoint: Endpoint.describe("The API's one name, as kubeadm-init was given it."),
  caCertHash: CaCertHash.describe("sha256:… of the cluster's CA, from kubeadm-init."),
  token: Token.describe("From kubeadm-token; used only where the join is still to be done."),
  certificateKey: CertificateKey.optional().describe(
    "From kubeadm-token; needed by control planes.",
  ),
  startWithin: z
    .int()
    .default(120)
    .describe("Seconds that a member's cluster may take to answer, as after a boot."),
});
type Want = z.output<typeof Params>;

export const kubeadmJoin = defineModule({
  name: "kubeadm-join",
  summary: "Keep a host a node of the cluster; joins it where it is in none.",
  lasting: "a host leaves its cluster by a drain and kubeadm-reset",
  example: `use.kubeadmJoin({
  version: "v1.36.3",
  role: "worker",
  advertiseAddress: "2001:db8:1::21",
  endpoint: { name: "api.example.net" },
  caCertHash: "sha256:8af6659f43564d4360a370c17db6117bbf339a86b0d39bdb90a0cedb7ae97013",
  token: "abcdef.0123456789abcdef",
})`,
  params: Params,

  async read(host, want) {
    const state = await readHostState(host);
    return { name: host.name, state, standing: await readStanding(host, want, state) };
  },

  *diff(now, want) {
    const { name, state, standing } = now;
    if (standing === "node-gone")
      yield run(sh`systemctl restart kubelet`, `node ${name}: gone from the API → registered`);
    if (standing !== "none") return;
    if (state.pending) yield kubeadmReset(want.criSocket, "an interrupted join → nothing");
    yield kubeadmRun("join", configOf(name, want), {
      say: `${want.role} of ${want.endpoint.name}: not joined → joined`,
    });
  },
});

/** Where the host stands with the wanted cluster. */
type Standing = "none" | "node-gone" | "whole";

async function readStanding(host: Host, want: Want, state: HostState): Promise<Standing> {
  const { adminConf: admin, server } = state;
  // Whatever an interrupted join left is cleared: half a member is worth less than a clean join of seconds.
  if (state.pending) return "none";
  if (!state.kubeletConf && !admin) {
    await refuseTakenPort(host, want);
    return "none";
  }
  const kubeconfig = state.kubeletConf ? kubeletConf : adminConf;
  if (!state.kubeletConf || state.caHash !== want.caCertHash)
    return refuseForeign(host, { kubeconfig, server });
  return readMember(host, want, state);
}

async function readMember(host: Host, want: Want, state: HostState): Promise<Standing> {
  const { port, name } = want.endpoint;
  if (want.role === "control-plane" && !state.controlPlane)
    throw new PlaybookError("PB_CLUSTER_DOWN", [host.name, "a worker, or a half-removed one"]);
  if (want.role === "worker" && state.controlPlane)
    throw new PlaybookError("PB_CLUSTER_DIFFERS", [
      host.name,
      ["role is control-plane, not worker"],
    ]);
  if (want.role === "control-plane") refuseOtherAddress(host, want, state);
  const answer = await askCluster(host, {
    kubeconfig: kubeletConf,
    node: host.name,
    // Its own API server, which says ok only while its own etcd member does.
    ready:
      want.role === "control-plane" ? `https://${inUrl(want.advertiseAddress)}:${port}` : undefined,
    waitSeconds: want.startWithin,
  });
  if (answer.kind === "node" || answer.kind === "unknown-node") {
    refuseOtherNode(host, want, { state, answer });
    return answer.kind === "node" ? "whole" : "node-gone";
  }
  throw new PlaybookError("PB_CLUSTER_DOWN", [host.name, `${name}: ${answer.why}`]);
}

async function refuseTakenPort(host: Host, { role, endpoint }: Want): Promise<void> {
  const port = role === "control-plane" ? endpoint.port : 10_250;
  const owner = await portOwner(host, port);
  if (owner !== undefined) throw new PlaybookError("PB_PORT_TAKEN", [host.name, port, owner]);
}

function configOf(nodeName: string, want: Want) {
  const { role, certificateKey, ...common } = want;
  const key = role === "control-plane" ? certificateKey : undefined;
  return joinConfig({ ...common, nodeName, certificateKey: key });
}
