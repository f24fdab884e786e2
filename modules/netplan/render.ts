import { stringify } from "yaml";
import type { InterfaceWant, Want } from "./params.ts";

/** The netplan file: every choice that matters is written out, none is left to a renderer's default. */
export function render({ interfaces }: Want): string {
  const ethernets = Object.fromEntries(
    Object.keys(interfaces)
      .sort()
      .map((name) => [name, ethernet(interfaces[name] as InterfaceWant)]),
  );
  const network = { version: 2, ethernets };
  // To a reader of YAML 1.1 a search domain called no is false, unless it stands in quotes.
  const yaml = stringify({ network }, { version: "1.1" });
  return `# Kept by run-playbook: changes made here are undone.\n${yaml}`;
}

function ethernet(want: InterfaceWant): Record<string, unknown> {
  const { addresses, routes, nameservers, search, mtu } = want;
  const resolvers = {
    ...(nameservers.length === 0 ? {} : { addresses: nameservers }),
    ...(search.length === 0 ? {} : { search }),
  };
  return {
    // Here, and not for all: a word for all interfaces would take those of other files from NetworkManager.
    renderer: "networkd",
    dhcp4: want.dhcp4,
    dhcp6: want.dhcp6,
    "accept-ra": want.acceptRa,
    "link-local": want.linkLocal,
    ...(mtu === undefined ? {} : { mtu }),
    ...(addresses.length === 0 ? {} : { addresses }),
    ...(routes.length === 0 ? {} : { routes: routes.map(route) }),
    ...(Object.keys(resolvers).length === 0 ? {} : { nameservers: resolvers }),
  };
}

const route = ({ to, via, metric, onLink }: InterfaceWant["routes"][number]) => ({
  to: /^(::|0\.0\.0\.0)\/0$/.test(to) ? "default" : to,
  via,
  ...(metric === undefined ? {} : { metric }),
  ...(onLink ? { "on-link": true } : {}),
});
