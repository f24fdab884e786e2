/** The administrator's way into the cluster, for people and programs elsewhere. */
import { isMap, isSeq, parseDocument } from "yaml";
import { z } from "zod";
import { defineModule, PlaybookError, Secret, secret } from "#engine/index.ts";
import { invalid } from "../answer.ts";
import { adminConf } from "../kubeadm/paths.ts";
import { Url } from "../params.ts";

const LONGEST = 128 * 1024;

export const kubeconfig = defineModule({
  name: "kubeconfig",
  summary: "Hand out the administrator's kubeconfig, with the server that others reach it at.",
  example: `use.kubeconfig({ server: "https://[2001:db8:1::100]:6443" })`,
  params: z.strictObject({
    server: Url.describe("The API as it is reached from outside, as https://…"),
  }),
  outputs: z.object({
    content: secret().describe("A kubeconfig: whoever has it has the cluster."),
  }),

  async read(host, want) {
    const text = await host.readFile(adminConf);
    if (text === undefined)
      throw new PlaybookError("PB_CLUSTER_READ", [adminConf, "the host is no control plane"]);
    // One of kubeadm's has 6 KiB. What is no YAML could not be written again.
    const document =
      text.length < LONGEST ? parseDocument(text, { prettyErrors: false }) : undefined;
    if (document === undefined || document.errors.length > 0)
      throw invalid(adminConf, "it is no kubeconfig");
    const clusters = document.get("clusters");
    if (isSeq(clusters))
      for (const entry of clusters.items)
        if (isMap(entry)) entry.setIn(["cluster", "server"], want.server);
    return { content: new Secret(document.toString({ lineWidth: 0 })) };
  },

  *diff() {},

  *undo() {},
});
