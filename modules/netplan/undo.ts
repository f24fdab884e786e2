/** The way back to the network that was there before. */
import type { Change } from "#engine/index.ts";
import { familyOf } from "#engine/net/ip.ts";
import type { FileNow } from "../managed-file.ts";
import { undoFiles } from "../undo-file.ts";
import type { Configured } from "./other-files.ts";
import { hostPart, type Want } from "./params.ts";

/** Tells cloud-init to leave the network alone, where its file was replaced. */
export const CLOUD_INIT = "/etc/cloud/cloud.cfg.d/99-run-playbook-network.cfg";

/** What of netplan's read the way back takes. */
interface Found {
  readonly addresses: Readonly<Record<string, readonly string[]>>;
  readonly configured: readonly Configured[];
  readonly file: FileNow;
  readonly silence: FileNow;
  /** In the order of `replaces`. */
  readonly replaced: readonly FileNow[];
}

type Addresses = Readonly<Record<string, readonly string[]>>;

/** Addresses with prefix length, by interface. */
export const addressesIn = ({ interfaces }: Want): Addresses =>
  Object.fromEntries(Object.entries(interfaces).map(([name, { addresses }]) => [name, addresses]));

/** Files that configure the network, for one guarded change; and what cuts no connection. */
export function filesBack(before: Found, now: Found, want: Want) {
  const replaced = want.replaces.flatMap((path, index) => {
    const [was, is] = [before.replaced[index], now.replaced[index]];
    return was === undefined || is === undefined ? [] : [{ path, before: was, now: is }];
  });
  const changes = [
    ...undoFiles(
      { path: want.file, before: before.file, now: now.file },
      { path: CLOUD_INIT, before: before.silence, now: now.silence },
      ...replaced,
    ),
  ];
  return {
    files: changes.filter(isFile),
    others: changes.filter((change) => !isFile(change)),
  };
}

const isFile = (change: Change): change is Extract<Change, { op: "write" | "remove" }> =>
  change.op === "write" || change.op === "remove";

/** The addresses that are to be usable again, where the host is reached then, and what differs, in words. */
export function wayBack(before: Found, now: Found, want: Want) {
  const names = Object.keys(want.interfaces);
  const addresses = Object.fromEntries(names.map((name) => [name, staticOf(before, name)]));
  const differences = names.flatMap((name) => {
    const [was, is] = [before.addresses[name] ?? [], now.addresses[name] ?? []];
    return [
      ...was.filter((own) => !is.includes(own)).map((own) => `${name}: + ${own}`),
      ...is.filter((own) => !was.includes(own)).map((own) => `${name}: - ${own}`),
    ];
  });
  return { addresses, differences, address: addressBefore(before, want) };
}

// Leased ones come when they come, and nobody brings back what no file explains.
const staticOf = ({ addresses, configured }: Found, name: string): string[] => {
  const saved = configured.filter((one) => one.interface === name);
  const known = saved.flatMap((one) => one.addresses);
  return (addresses[name] ?? []).filter((own) => known.includes(own));
};

/** Where the host was reached before its address changed; undefined where that did not, or stays as it is. */
function addressBefore(before: Found, want: Want): string | undefined {
  if (want.address === undefined) return undefined;
  const now = want.address;
  const own = Object.entries(want.interfaces).find(([, { addresses }]) =>
    addresses.some((one) => hostPart(one) === now),
  );
  const name = own?.[0] ?? "";
  const was = [...staticOf(before, name), ...(before.addresses[name] ?? [])].map(hostPart);
  if (Object.values(before.addresses).flat().map(hostPart).includes(now)) return undefined;
  return was.find((one) => familyOf(one) === familyOf(now));
}
