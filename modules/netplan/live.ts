/** What the kernel has, against what is wanted. */
import { z } from "zod";
import {
  bitsOf,
  canonicalCidr,
  canonicalIp,
  familyOf,
  formatCidr,
  parseIp,
} from "#engine/net/ip.ts";
import { jsonOf } from "../answer.ts";
import type { InterfaceWant, Want } from "./params.ts";

const Links = z.array(
  z.object({
    ifname: z.string(),
    mtu: z.number(),
    address: z.string().optional(),
    permaddr: z.string().optional(),
    addr_info: z
      .array(
        z.object({
          family: z.string(),
          local: z.string(),
          prefixlen: z.number(),
          scope: z.string().optional(),
          dynamic: z.boolean().optional(),
        }),
      )
      .default([]),
  }),
);
const Hop = z.object({
  gateway: z.string().optional(),
  dev: z.string().optional(),
  flags: z.array(z.string()).default([]),
});
// Several gateways of one network are one route with several hops.
const Routes = z.array(
  Hop.extend({
    dst: z.string(),
    metric: z.number().optional(),
    nexthops: z.array(Hop).default([]),
  }),
);

/** One interface as it is. */
interface LinkNow {
  /** The hardware's own where it has one. */
  readonly mac: string;
  readonly driver?: string | undefined;
  readonly mtu: number;
  /** Global addresses with prefix length, in their one spelling. */
  readonly addresses: readonly string[];
  /** Link-local ones and loopback's. */
  readonly others: readonly string[];
  /** Those global ones that came from DHCP or a router. */
  readonly dynamic: readonly string[];
}

interface RouteNow {
  /** "default via fd00::1 dev eth0" */
  readonly text: string;
  /** IPv4's is 0 unless given. */
  readonly metric: number;
  readonly onLink: boolean;
}

export interface LiveNow {
  readonly links: Readonly<Record<string, LinkNow>>;
  readonly routes: readonly RouteNow[];
}

/** From `ip -json address`, and `ip -json route` of both families. */
export function parseLive(links: string, routes: readonly string[]): LiveNow {
  return {
    links: Object.fromEntries(
      jsonOf("ip address", Links, links || "[]").map((link) => [link.ifname, linkNow(link)]),
    ),
    routes: routes
      .flatMap((text) => jsonOf("ip route", Routes, text || "[]"))
      .flatMap(({ dst, metric = 0, nexthops, ...own }) =>
        [own, ...nexthops].flatMap(({ gateway, dev, flags }) => {
          if (gateway === undefined || dev === undefined) return [];
          return [{ text: routeText(dst, gateway, dev), metric, onLink: flags.includes("onlink") }];
        }),
      ),
  };
}

function linkNow({
  mtu,
  address = "",
  permaddr,
  addr_info,
}: z.output<typeof Links>[number]): LinkNow {
  const cidr = (one: (typeof addr_info)[number]) => canonicalCidr(`${one.local}/${one.prefixlen}`);
  const global = addr_info.filter(({ scope }) => scope === "global");
  return {
    mac: permaddr ?? address,
    mtu,
    addresses: global.map(cidr),
    others: addr_info.filter(({ scope }) => scope !== "global").map(cidr),
    dynamic: global.filter((one) => one.dynamic === true).map(cidr),
  };
}

const routeText = (to: string, via: string, dev: string) =>
  `${destination(to)} via ${canonicalIp(via)} dev ${dev}`;

/** The one spelling of where a route leads: ip says "default" for ::/0, and leaves the length of a host route away. */
function destination(to: string): string {
  if (to === "default" || /^(::|0\.0\.0\.0)\/0$/.test(canonicalCidr(to))) return "default";
  const ip = parseIp(to);
  return ip === undefined ? canonicalCidr(to) : formatCidr({ ...ip, length: bitsOf(ip.family) });
}

/** The differences in words, one each; empty where the kernel has what is wanted. */
export function liveDifferences(live: LiveNow, want: Want): string[] {
  return Object.entries(want.interfaces).flatMap(([name, wanted]) => {
    const link = live.links[name];
    if (link === undefined) return [`${name}: not there`];
    return [...addressDifferences(name, link, wanted), ...routeDifferences(name, live, wanted)];
  });
}

function addressDifferences(name: string, link: LinkNow, wanted: InterfaceWant): string[] {
  const addresses = wanted.addresses.map(canonicalCidr);
  const there = [...link.addresses, ...link.others];
  const missing = addresses.filter((own) => !there.includes(own));
  // Static ones that nobody asked for stay: a virtual IP, a tunnel's. Leased ones show that DHCP or RA is still in use.
  const leased = link.dynamic.filter((own) => {
    const allowed = familyOf(own) === "IPv6" ? wanted.dhcp6 || wanted.acceptRa : wanted.dhcp4;
    return !allowed && !addresses.includes(own);
  });
  const { mtu = link.mtu } = wanted;
  return [
    ...missing.map((own) => `${name}: + ${own}`),
    ...leased.map((own) => `${name}: - ${own} (leased)`),
    ...(mtu === link.mtu ? [] : [`${name}: MTU ${link.mtu} → ${mtu}`]),
  ];
}

const routeDifferences = (name: string, live: LiveNow, wanted: InterfaceWant): string[] =>
  wanted.routes.flatMap(({ to, via, metric, onLink }) => {
    const text = routeText(to, via, name);
    const found = live.routes.some(
      (route) =>
        route.text === text &&
        (metric === undefined || route.metric === metric) &&
        (!onLink || route.onLink),
    );
    if (found) return [];
    return [
      `+ route ${text}${metric === undefined ? "" : ` metric ${metric}`}${onLink ? " onlink" : ""}`,
    ];
  });
