import { z } from "zod";
import { canonicalCidr } from "#engine/net/ip.ts";
import { Address, canonical, InterfaceAddress, Network } from "../address.ts";
import { AbsolutePath, DurationText } from "../params.ts";

const Destination = z
  .string()
  .superRefine((text, context) => {
    const { error } = text === "default" ? {} : Network.safeParse(text);
    for (const { message } of error?.issues ?? []) context.addIssue({ code: "custom", message });
  })
  .transform(canonicalCidr);

const Route = z.strictObject({
  to: Destination.default("default").describe("default, or a network."),
  via: Address.describe("The gateway."),
  metric: z.int().min(0).max(4294967295).optional().describe("Lower is preferred."),
  onLink: z
    .boolean()
    .default(false)
    .describe("The gateway is reached directly though no prefix of this interface holds it."),
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
  .refine(({ addresses }) => new Set(addresses.map(canonical)).size === addresses.length, {
    message: "an address is given twice",
  });

export const Params = z
  .strictObject({
    interfaces: z
      .record(
        z.string().regex(/^[A-Za-z][\w.-]{0,14}$/, "expected an interface name, as eth0"),
        Interface,
      )
      .refine((all) => Object.keys(all).length > 0, "expected at least one interface")
      .describe("By name; interfaces that are not named stay as they are."),
    file: z
      .string()
      .regex(/^\/etc\/netplan\/[\w.-]+\.yaml$/, "expected a path such as /etc/netplan/90-x.yaml")
      .default("/etc/netplan/90-run-playbook.yaml")
      .describe("The file that is kept, mode 0600."),
    replaces: z
      .array(AbsolutePath)
      .default([])
      .describe(
        "Other netplan files that configure the same interfaces, removed in the same guarded change. With cloud-init's own, cloud-init is told to leave the network alone.",
      ),
    peers: z
      .array(Address)
      .default([])
      .describe("Addresses that must answer before the change is kept; gateways always must."),
    address: Address.optional().describe(
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
        addresses.some((own) => canonical(own) === canonical(address)),
      ),
    { message: "address must be one of the interfaces' addresses", path: ["address"] },
  );

export type Want = z.output<typeof Params>;
export type InterfaceWant = z.output<typeof Interface>;
