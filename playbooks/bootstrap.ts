/** From bare hosts to an IPv6-only, highly available Kubernetes, proved by its own last steps. */
import { resolve } from "node:path";
import { playbook } from "run-playbook";
import { z } from "zod";
import { controlPlane } from "./bootstrap/control-plane.ts";
import { joined } from "./bootstrap/join.ts";
import { network } from "./bootstrap/network.ts";
import { prepared } from "./bootstrap/prepare.ts";
import { proof } from "./bootstrap/proof.ts";
import { runtime } from "./bootstrap/runtime.ts";
import { snapshot } from "./bootstrap/snapshot.ts";
import { ClusterSettings, clusterOf, groups, NodeSettings } from "./cluster.ts";

const Params = z.object({
  kubeconfig: z
    .string()
    .default("kubeconfig")
    .transform((path) => resolve(path))
    .describe("Where the administrator's kubeconfig is written on this machine, mode 0600."),
  proof: z.boolean().default(true).describe("Prove that the network works, and without IPv4."),
});

export default playbook(
  "bootstrap",
  {
    summary: "From bare IPv6 hosts to an IPv6-only, highly available Kubernetes.",
    groups,
    params: Params,
    settings: ClusterSettings,
    hostSettings: NodeSettings,
  },
  (play) => {
    const cluster = clusterOf(play);
    const hosts = prepared(play, cluster);
    const machines = runtime(play, cluster, hosts);
    const first = controlPlane(play, cluster, machines);
    const members = joined(play, cluster, first);
    const ready = network(play, cluster, members);
    const saved = snapshot(play, cluster, ready);
    if (play.params.proof) proof(play, cluster, { ready, saved });
  },
);
