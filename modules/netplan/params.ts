import { z } from "zod";
import {
  canonicalCidr,
  canonicalIp,
  familyOf,
  parseCidr,
  parseIp,
  scopeOf,
} from "#engine/net/ip.ts";
import { Address, HostAddress, InterfaceAddress, Network, ZonedAddress } from "../address.ts";
import { DurationText } from "../params.ts";

const isLoopback = (text: string) => {
  const ip = parseIp(text) ?? parseCidr(text);
  return ip !== undefined && scopeOf(ip) === "loopback";
};

const Destination = z
  .string()
  .superRefine((text, context) => {
    const { error } = text === "default" ? {} : Network.safeParse(text);
    for (const { message } of error?.issues ?? []) context.addIssue({ code: "custom", message });
  })
  .transform(canonicalCidr);

const Route = z
  .strictObject({
    to: Destination.default("default").describe("default, or a network."),
    via: Address.refine(
      (via) => !isLoopback(via),
      "this is a loopback address: no gateway has it",
    ).describe("The gateway."),
    metric: z.int().min(0).max(4294967295).optional().describe("Lower is preferred."),
    onLink: z
      .boolean()
      .default(false)
      .describe("The gateway is reached directly though no prefix of this interface holds it."),
  })
  .refine(({ to, via }) => to === "default" || familyOf(to) === familyOf(via), {
    path: ["via"],
    message: "expected a gateway of the family that the route is of",
  });

const Interface = z
  .strictObject({
    addresses: z
      .array(InterfaceAddress)
      .default([])
      .describe("Its static addresses with prefix length, as 2001:db8:1::11/64."),
    routes: z.array(Route).default([]).describe("Static routes."),
    nameservers: z.array(Address).default([]).describe("Resolvers, by address."),
    search: z
      .array(z.string().regex(/^[A-Za-z0-9.-]+$/))
      .default([])
      .describe("Domains to search."),
    acceptRa: z
      .boolean()
      .default(false)
      .describe(
        "Whether router advertisements are used. Always written out: with forwarding on, the default would change.",
      ),
    linkLocal: z
      .array(z.enum(["ipv6", "ipv4"]))
      .default(["ipv6"])
      .describe("Which link-local addresses it has; IPv6 does not work without its own."),
    dhcp4: z.boolean().default(false).describe("Whether it asks for an IPv4 address."),
    dhcp6: z.boolean().default(false).describe("Whether it asks for an IPv6 address."),
    mtu: z
      .int()
      .min(1280)
      .max(65535)
      .optional()
      .describe("Bytes; 1280 is the least that IPv6 allows."),
  })
  .refine(({ addresses }) => areDistinct(addresses.map(hostPart)), {
    message: "an address is given twice",
  })
  .refine(({ routes }) => areDistinct(routes.map(routeKey)), {
    path: ["routes"],
    message: "a route is given twice",
  })
  .refine(
    ({ addresses, routes }) => !routes.some(({ via }) => addresses.map(hostPart).includes(via)),
    {
      path: ["routes"],
      message: "a gateway is this interface's own address",
    },
  );

/** An interface's address without its length. */
export const hostPart = (cidr: string): string => canonicalIp(cidr.replace(/\/\d+$/, ""));

// ::/0 is IPv6's default route, and what its gateway is of decides the family of "default".
const routeKey = ({ to, via, metric }: z.output<typeof Route>) =>
  [familyOf(via), /\/0$/.test(to) ? "default" : to, via, metric].join(" ");

// Every link has link-local ones of its own.
const isHosts = (cidr: string) => {
  const ip = parseCidr(cidr);
  return ip !== undefined && scopeOf(ip) !== "link-local";
};

const areDistinct = (texts: readonly string[]) => new Set(texts).size === texts.length;

const NetplanFile = z
  .string()
  .regex(
    /^\/(etc|run|usr\/lib|lib)\/netplan\/[^/\p{Cc}\p{Cs}\p{Zl}\p{Zp}]+\.yaml$/u,
    "expected a file that netplan reads, as /etc/netplan/50-cloud-init.yaml",
  );

export const Params = z
  .strictObject({
    interfaces: z
      .record(
        z.string().regex(/^[A-Za-z][\w.-]{0,14}$/, "expected an interface name, as eth0"),
        Interface,
      )
      .refine((all) => Object.keys(all).length > 0, "expected at least one interface")
      .refine(
        (all) =>
          areDistinct(
            Object.values(all).flatMap(({ addresses }) => addresses.filter(isHosts).map(hostPart)),
          ),
        "two interfaces have the same address",
      )
      .refine(
        (all) =>
          Object.entries(all).every(
            ([name, { addresses }]) => name === "lo" || !addresses.some(isLoopback),
          ),
        "a loopback address belongs to lo",
      )
      .describe("By name; interfaces that are not named stay as they are."),
    file: z
      .string()
      .regex(
        /^\/etc\/netplan\/[\w-][\w.-]*\.yaml$/,
        "expected a path such as /etc/netplan/90-x.yaml",
      )
      .default("/etc/netplan/90-run-playbook.yaml")
      .describe("The file that is kept, mode 0600."),
    replaces: z
      .array(NetplanFile)
      .default([])
      .describe(
        "Other netplan files that configure the same interfaces, removed in the same guarded change. With cloud-init's own, cloud-init is told to leave the network alone.",
      ),
    peers: z
      .array(ZonedAddress)
      .default([])
      .describe("Addresses that must answer before the change is kept; gateways always must."),
    address: HostAddress.optional().describe(
      "Where the host answers afterwards, when the very address that it is reached at changes.",
    ),
    within: DurationText.default("60s").describe(
      "How long the host waits to be told that all is well before it goes back by itself.",
    ),
  })
  .refine(
    ({ address, interfaces }) =>
      address === undefined ||
      Object.values(interfaces).some(({ addresses }) =>
        addresses.some((own) => hostPart(own) === address),
      ),
    { message: "address must be one of the interfaces' addresses", path: ["address"] },
  )
  .refine(({ file, replaces }) => !replaces.includes(file), {
    message: "the file that is kept cannot be one that is removed",
    path: ["replaces"],
  });

export type Want = z.output<typeof Params>;
export type InterfaceWant = z.output<typeof Interface>;
