/** Whether a host is in a cluster, and in which. */
import { z } from "zod";
import { defineModule } from "#engine/index.ts";
import { CaCertHash } from "../cluster-params.ts";
import { refuseForeign } from "./cluster-answer.ts";
import { readHostState } from "./host-state.ts";
import { adminConf, kubeletConf } from "./paths.ts";

export const kubeadmMembership = defineModule({
  name: "kubeadm-membership",
  summary: "Find out whether a host is in the cluster; refuses a host that is in another one.",
  example: `use.kubeadmMembership({ caCertHash: "sha256:8af6659f43564d4360a370c17db6117bbf339a86b0d39bdb90a0cedb7ae97013" })`,
  params: z.strictObject({
    caCertHash: CaCertHash.describe("The cluster's CA; a host under another CA is refused."),
  }),
  outputs: z.object({
    name: z.string(),
    joined: z
      .boolean()
      .describe("False also where a join was interrupted: what it left may be cleared."),
  }),

  async read(host, want) {
    const state = await readHostState(host);
    const { pending, adminConf: admin, server } = state;
    const member = state.kubeletConf && !pending;
    const foreign = !pending && (admin || member) && state.caHash !== want.caCertHash;
    if (foreign)
      return refuseForeign(host, { kubeconfig: admin ? adminConf : kubeletConf, server });
    return { name: host.name, joined: member };
  },

  *diff() {},

  *undo() {},
});
