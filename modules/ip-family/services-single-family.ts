/** Whether Services have addresses of one family only. */
import { z } from "zod";
import { defineProbe } from "#engine/index.ts";
import { kubectlJson } from "../kubectl.ts";
import { Family } from "./family.ts";

const Services = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string(), namespace: z.string() }),
      spec: z.object({
        ipFamilies: z.array(z.string()).default([]),
        ipFamilyPolicy: z.string().optional(),
        clusterIPs: z.array(z.string()).default([]),
      }),
    }),
  ),
});

export const servicesSingleFamily = defineProbe({
  name: "services-single-family",
  summary: "These Services exist, SingleStack and of one family; asked on a control plane.",
  example: `use.servicesSingleFamily({ services: ["default/kubernetes", "kube-system/kube-dns"] })`,
  params: z.strictObject({
    services: z
      .array(z.string().regex(/^[^/]+\/[^/]+$/, "expected namespace/name"))
      .min(1)
      .describe("As namespace/name."),
    family: Family,
  }),

  async check(host, want) {
    const list = { what: "The Services", as: Services };
    const { items } = await kubectlJson(host, list, "get", "services", "--all-namespaces");
    const said = want.services.map((service) => {
      const found = items.find(({ metadata: m }) => `${m.namespace}/${m.name}` === service);
      if (found === undefined) return { good: false, text: `${service} does not exist` };
      const { ipFamilies, ipFamilyPolicy = "none", clusterIPs } = found.spec;
      const text = `${service} is ${ipFamilyPolicy} ${ipFamilies.join("+")} at ${clusterIPs.join(", ")}`;
      return { good: ipFamilyPolicy === "SingleStack" && ipFamilies.join() === want.family, text };
    });
    const wrong = said.filter(({ good }) => !good);
    return wrong.length === 0
      ? { holds: true, saw: said.map(({ text }) => text).join("; ") }
      : {
          holds: false,
          saw: `${wrong.map(({ text }) => text).join("; ")} (its family comes from --service-cluster-ip-range)`,
        };
  },
});
