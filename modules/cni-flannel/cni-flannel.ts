/** Pods on a bridge, behind flannel's overlay: for networks that route no pod prefixes. */
import { z } from "zod";
import { defineModule, PlaybookError } from "#engine/index.ts";
import { HostAddress, Network } from "../address.ts";
import { NodeName } from "../cluster-params.ts";
import { keepFile, readManaged } from "../managed-file.ts";
import { undoFiles } from "../undo-file.ts";
import { flannelDevice } from "./flannel-device.ts";

const conflistPath = "/etc/cni/net.d/10-flannel.conflist";

export const cniFlannel = defineModule({
  name: "cni-flannel",
  summary: "Put pods of a node on a bridge behind flannel's overlay, with the overlay's MTU.",
  example: `use.cniFlannel({ node: "w1", nodes: [{ name: "w1", address: "2001:db8:1::21", podCidr: "2001:db8:2:1::/64" }] })`,
  params: z.strictObject({
    node: NodeName.describe("This host's name in `nodes`."),
    nodes: z
      .array(z.object({ name: NodeName, address: HostAddress, podCidr: Network }))
      .describe("All nodes, from cluster-nodes."),
  }),

  async read(host) {
    const [conflist, device] = await Promise.all([
      readManaged(host, conflistPath),
      flannelDevice(host),
    ]);
    if (device === undefined)
      throw new PlaybookError("PB_CLUSTER_READ", ["flannel's device", `${host.name} has none`]);
    return { conflist, mtu: device.mtu };
  },

  *diff(now, want) {
    const own = want.nodes.find(({ name }) => name === want.node);
    if (own === undefined)
      throw new PlaybookError("PB_CLUSTER_READ", [`The node ${want.node}`, "it is not registered"]);
    yield* keepFile(now.conflist, { path: conflistPath, content: conflist(own.podCidr, now.mtu) });
  },

  *undo(before, now) {
    yield* undoFiles({ path: conflistPath, before: before.conflist, now: now.conflist });
  },
});

const conflist = (podCidr: string, mtu: number): string =>
  `${JSON.stringify(
    {
      cniVersion: "1.0.0",
      name: "flannel",
      plugins: [
        {
          type: "bridge",
          bridge: "cni0",
          mtu,
          isDefaultGateway: true,
          hairpinMode: true,
          ipMasq: false,
          ipam: {
            type: "host-local",
            // Gone after a boot, as the pods are: nothing stale keeps an address.
            dataDir: "/run/cni-ipam-state",
            ranges: [[{ subnet: podCidr }]],
          },
        },
        { type: "portmap", backend: "nftables", capabilities: { portMappings: true } },
      ],
    },
    null,
    2,
  )}\n`;
