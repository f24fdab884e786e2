/** Netplan files that are not ours: what they configure. */
import { parse } from "yaml";
import { z } from "zod";
import { canonicalCidr } from "../address.ts";
import type { LiveNow } from "./live.ts";

const Device = z.looseObject({
  addresses: z.array(z.unknown()).optional(),
  "set-name": z.string().optional(),
  match: z
    .looseObject({ name: z.string().optional(), macaddress: z.string().optional() })
    .optional(),
});
const File = z.looseObject({
  network: z.record(z.string(), z.unknown()).nullish(),
});

/** What one file says of one interface. */
export interface Configured {
  readonly path: string;
  readonly interface: string;
  /** With prefix length, in their one spelling. */
  readonly addresses: readonly string[];
}

/** Every interface that a netplan file configures; a file that does not parse configures none. */
export function configuredBy(path: string, text: string, live: LiveNow): Configured[] {
  const file = File.safeParse(parsed(text));
  if (!file.success) return [];
  return Object.values(file.data.network ?? {}).flatMap((kind) => {
    if (typeof kind !== "object" || kind === null) return [];
    return Object.entries(kind).flatMap(([id, value]) => {
      const device = Device.safeParse(value ?? {});
      if (!device.success) return [];
      const addresses = (device.data.addresses ?? []).flatMap(addressIn).map(canonicalCidr);
      return interfacesOf(id, device.data, live).map((name) => ({
        path,
        interface: name,
        addresses,
      }));
    });
  });
}

const LONGEST = 128 * 1024;

function parsed(text: string): unknown {
  if (text.length > LONGEST) return undefined;
  try {
    return parse(text, { prettyErrors: false });
  } catch {
    // netplan refuses it too, and then says so itself.
    return undefined;
  }
}

// An address may carry options: {"2001:db8::1/64": {lifetime: 0}}.
const addressIn = (entry: unknown): string[] => {
  if (typeof entry === "string") return [entry];
  return typeof entry === "object" && entry !== null ? Object.keys(entry) : [];
};

function interfacesOf(id: string, device: z.output<typeof Device>, live: LiveNow): string[] {
  const { match } = device;
  if (match === undefined) return [device["set-name"] ?? id];
  const glob = match.name === undefined ? undefined : globPattern(match.name);
  const mac = match.macaddress?.toLowerCase();
  return Object.entries(live.links).flatMap(([name, link]) => {
    const fits = (glob?.test(name) ?? true) && (mac === undefined || mac === link.mac);
    return fits || name === device["set-name"] ? [name] : [];
  });
}

const globPattern = (glob: string) =>
  new RegExp(
    `^${glob
      .replace(/[.+^${}()|[\]\\]/g, "\\$&")
      .replaceAll("*", ".*")
      .replaceAll("?", ".")}$`,
  );
