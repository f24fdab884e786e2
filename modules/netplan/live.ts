/** What the kernel has, against what is wanted. */
import { z } from "zod";
import { canonical, canonicalCidr, isIPv6 } from "../address.ts";
import { jsonOf } from "../answer.ts";
import type { InterfaceWant, Want } from "./params.ts";

const Links = z.array(
  z.object({
    ifname: z.string(),
    mtu: z.number(),
    address: z.string().optional(),
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
const Hop = z.object({ gateway: z.string().optional(), dev: z.string().optional() });
// Several gateways of one network are one route with several hops.
const Routes = z.array(Hop.extend({ dst: z.string(), nexthops: z.array(Hop).default([]) }));

/** One interface as it is. */
interface LinkNow {
  readonly mac: string;
  readonly mtu: number;
  /** Global addresses with prefix length, in their one spelling. */
  readonly addresses: readonly string[];
  /** Those of them that came from DHCP or a router. */
  readonly dynamic: readonly string[];
}

export interface LiveNow {
  readonly links: Readonly<Record<string, LinkNow>>;
  /** "default via fd00::1 dev eth0" */
  readonly routes: readonly string[];
}

/** From `ip -json address`, and `ip -json route` of both families. */
export function parseLive(links: string, routes: readonly string[]): LiveNow {
  return {
    links: Object.fromEntries(
      jsonOf("ip address", Links, links || "[]").map(({ ifname, mtu, address = "", addr_info }) => {
        const global = addr_info.filter(({ scope }) => scope === "global");
        const cidr = (one: (typeof global)[number]) =>
          canonicalCidr(`${one.local}/${one.prefixlen}`);
        const dynamic = global.filter((one) => one.dynamic === true);
        const link = { mac: address, mtu, addresses: global.map(cidr), dynamic: dynamic.map(cidr) };
        return [ifname, link] as const;
      }),
    ),
    routes: routes
      .flatMap((text) => jsonOf("ip route", Routes, text || "[]"))
      .flatMap(({ dst, nexthops, ...own }) =>
        [own, ...nexthops].flatMap(({ gateway, dev }) =>
          gateway === undefined || dev === undefined ? [] : [routeText(dst, gateway, dev)],
        ),
      ),
  };
}

const routeText = (to: string, via: string, dev: string) =>
  `${to === "default" ? to : canonicalTo(to)} via ${canonical(via)} dev ${dev}`;

// ip leaves the length of a host route away.
const canonicalTo = (to: string) => {
  if (to.includes("/")) return canonicalCidr(to);
  return `${canonical(to)}/${isIPv6(to) ? 128 : 32}`;
};

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
  const missing = addresses.filter((own) => !link.addresses.includes(own));
  // Static ones that nobody asked for stay: a virtual IP, a tunnel's. Leased ones show that DHCP or RA is still in use.
  const leased = link.dynamic.filter((own) => {
    const allowed = isIPv6(own) ? wanted.dhcp6 || wanted.acceptRa : wanted.dhcp4;
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
  wanted.routes
    .map(({ to, via }) => routeText(to, via, name))
    .filter((route) => !live.routes.includes(route))
    .map((route) => `+ route ${route}`);
