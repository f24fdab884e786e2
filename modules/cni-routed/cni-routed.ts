/** The simplest pod network: every node routes to every other node's pods, with no overlay and no agent. */
import { z } from "zod";
import { type Change, defineModule, type Host, PlaybookError, run, sh } from "#engine/index.ts";
import {
  bitsOf,
  canonicalCidr,
  canonicalIp,
  familyOf,
  formatCidr,
  parseIp,
} from "#engine/net/ip.ts";
import { templateFile } from "#engine/template/template.ts";
import { HostAddress, Network } from "../address.ts";
import { NodeName } from "../cluster-params.ts";
import { type FileNow, keepAway, keepFile, readManaged } from "../managed-file.ts";
import { State } from "../params.ts";
import { undoFiles } from "../undo-file.ts";

const conflistPath = "/etc/cni/net.d/10-routed.conflist";
const unit = "run-playbook-pod-routes.service";
const unitPath = `/etc/systemd/system/${unit}`;
const networkdPath = "/etc/systemd/networkd.conf.d/50-pod-routes.conf";
/** Marks our routes, so that those of nodes that are gone can be told from others. */
const PROTOCOL = "157";

const Node = z
  .object({ name: NodeName, address: HostAddress, podCidr: Network })
  .refine(({ address, podCidr }) => familyOf(address) === familyOf(podCidr), {
    path: ["podCidr"],
    message: "expected a prefix of the address's family",
  });
const Params = z.strictObject({
  node: NodeName.describe("This host's name in `nodes`."),
  nodes: z.array(Node).describe("All nodes, from cluster-nodes."),
  state: State,
  mtu: z.int().min(1280).optional().describe("The device's own unless given."),
});
type Want = z.output<typeof Params>;

const unitFile = templateFile<{ routes: readonly string[] }>(
  new URL("pod-routes.service.hbs", import.meta.url),
);

export const cniRouted = defineModule({
  name: "cni-routed",
  summary: "Give pods addresses of the node's own prefix, and route to the other nodes' prefixes.",
  example: `use.cniRouted({ node: "w1", nodes: [{ name: "w1", address: "2001:db8:1::21", podCidr: "2001:db8:2:1::/64" }] })`,
  params: Params,

  async read(host, want) {
    const [conflist, unitNow, networkd, live, enabled] = await Promise.all([
      readManaged(host, conflistPath),
      readManaged(host, unitPath),
      readManaged(host, networkdPath),
      readRoutes(host),
      host.run(sh`systemctl is-enabled ${unit}`),
    ]);
    const enabledNow = enabled.stdout.trim() === "enabled";
    return { conflist, unitNow, networkd, live, enabled: enabledNow, name: want.node };
  },

  *diff(now, want) {
    if (want.state === "absent") {
      yield* clear(now);
      return;
    }
    const own = want.nodes.find(({ name }) => name === want.node);
    if (own === undefined)
      throw new PlaybookError("PB_CLUSTER_READ", [`The node ${want.node}`, "it is not registered"]);
    yield* keepFile(now.networkd, { path: networkdPath, content: KEEP_ROUTES });
    yield* keepUnit(now, want);
    yield* keepRoutes(now.live, routesOf(want));
    // Last: this is what makes the node Ready.
    yield* keepFile(now.conflist, { path: conflistPath, content: conflist(own.podCidr, want.mtu) });
  },

  *undo(before, now) {
    if (now.enabled && !before.enabled) yield disable;
    const files = [
      ...undoFiles(
        { path: conflistPath, before: before.conflist, now: now.conflist },
        { path: unitPath, before: before.unitNow, now: now.unitNow },
        { path: networkdPath, before: before.networkd, now: now.networkd },
      ),
    ];
    yield* files;
    if (files.length > 0) yield run(sh`systemctl daemon-reload`, "pod routes' unit: reload");
    if (before.enabled && !now.enabled) yield enable;
    yield* keepRoutes(now.live, before.live);
  },
});

const enable = run(sh`systemctl enable ${unit}`, "pod routes at boot: no → yes");
const disable = run(sh`systemctl disable ${unit}`, "pod routes at boot: yes → no");

// networkd would take away routes that it did not set, each time it starts.
const KEEP_ROUTES = "[Network]\nManageForeignRoutes=no\n";

interface Route {
  readonly to: string;
  readonly via: string;
}

const routesOf = ({ nodes, node }: Want): Route[] =>
  nodes
    .filter(({ name }) => name !== node)
    .map(({ podCidr, address }) => ({ to: podCidr, via: address }));

const familyFlag = (prefix: string) => (familyOf(prefix) === "IPv6" ? "-6" : "-4");
const routeWords = ({ to, via }: Route) => `${to} via ${via} proto ${PROTOCOL}`;

async function readRoutes(host: Host): Promise<Route[]> {
  const printed = await Promise.all(
    ["-6", "-4"].map((family) => host.text(sh`ip ${family} route show proto ${PROTOCOL}`)),
  );
  return Array.from(printed.join("\n").matchAll(/^(\S+) via (\S+)/gm), ([, to = "", via = ""]) => ({
    to: prefixOf(to),
    via: canonicalIp(via),
  }));
}

// ip leaves the length of a host route away.
function prefixOf(to: string): string {
  const ip = parseIp(to);
  return ip === undefined ? canonicalCidr(to) : formatCidr({ ...ip, length: bitsOf(ip.family) });
}

function* keepUnit(now: { unitNow: FileNow; enabled: boolean }, want: Want): Generator<Change> {
  const routes = routesOf(want).map(
    (route) => `${familyFlag(route.to)} route replace ${routeWords(route)}`,
  );
  const files = [...keepFile(now.unitNow, { path: unitPath, content: unitFile({ routes }) })];
  yield* files;
  if (files.length > 0) yield run(sh`systemctl daemon-reload`, "pod routes' unit: reload");
  if (!now.enabled) yield enable;
}

interface Now {
  readonly conflist: FileNow;
  readonly unitNow: FileNow;
  readonly networkd: FileNow;
  readonly live: readonly Route[];
  readonly enabled: boolean;
}

function* clear(now: Now): Generator<Change> {
  if (now.enabled) yield disable;
  yield* keepAway(now.conflist, conflistPath);
  yield* keepAway(now.unitNow, unitPath);
  yield* keepAway(now.networkd, networkdPath);
  for (const route of now.live) yield dropRoute(route);
}

const dropRoute = ({ to, via }: Route): Change =>
  run(
    sh`ip ${familyFlag(to)} route del ${to} via ${via} proto ${PROTOCOL}`,
    `route to pods ${to}: ${via} → none`,
  );

function* keepRoutes(live: readonly Route[], wanted: readonly Route[]): Generator<Change> {
  for (const { to, via } of wanted) {
    const is = live.find((route) => route.to === to)?.via;
    if (is !== via)
      yield run(
        sh`ip ${familyFlag(to)} route replace ${to} via ${via} proto ${PROTOCOL}`,
        `route to pods ${to}: ${is ?? "none"} → ${via}`,
      );
  }
  for (const route of live) if (!wanted.some(({ to }) => route.to === to)) yield dropRoute(route);
}

/** The CNI configuration of one node. */
const conflist = (podCidr: string, mtu: number | undefined): string =>
  `${JSON.stringify(
    {
      cniVersion: "1.0.0",
      name: "routed",
      plugins: [
        {
          type: "ptp",
          ...(mtu === undefined ? {} : { mtu }),
          ipMasq: false,
          ipam: {
            type: "host-local",
            // Gone after a boot, as the pods are: nothing stale keeps an address.
            dataDir: "/run/cni-ipam-state",
            routes: [{ dst: familyOf(podCidr) === "IPv6" ? "::/0" : "0.0.0.0/0" }],
            ranges: [[{ subnet: podCidr }]],
          },
        },
        { type: "portmap", backend: "nftables", capabilities: { portMappings: true } },
      ],
    },
    null,
    2,
  )}\n`;
