import { parse } from "yaml";
import type { FakeHost } from "#engine/host/fake/host.ts";
import { takesGuards } from "../guard-on-fake.ts";

const FOLDER = "/etc/netplan";

interface Ethernets {
  readonly network?: {
    readonly ethernets?: Readonly<Record<string, { readonly addresses?: readonly string[] }>>;
  };
}

/** Lets a fake host with one interface take its addresses from netplan files, once they are applied. */
export function withNetwork(host: FakeHost): FakeHost {
  const { files } = host;
  const configured = () =>
    files.list(FOLDER).flatMap((name) => {
      const { network } = parse(files.text(`${FOLDER}/${name}`) ?? "{}") as Ethernets;
      return network?.ethernets?.["eth0"]?.addresses ?? [];
    });
  let live = configured();
  const shown = (cidr: string) => {
    const [local = "", prefixlen] = cidr.split("/");
    return { family: "inet6", local, prefixlen: Number(prefixlen), scope: "global" };
  };
  return takesGuards(host)
    .programs({
      ip: ({ args }) =>
        args.includes("address")
          ? JSON.stringify([{ ifname: "eth0", mtu: 1500, addr_info: live.map(shown) }])
          : "[]",
    })
    .script(/^# netplan-there\n/, () => undefined)
    .script(/^# netplan-apply\n/, () => {
      live = configured();
      return undefined;
    })
    .script(/^# netplan-usable\n/, ({ args: [, ...addresses] }) => {
      const there = live.map((cidr) => cidr.split("/")[0]);
      return { code: addresses.every((address) => there.includes(address)) ? 0 : 1 };
    })
    .script(/^# reach\n/, () => undefined)
    .script(/^# netplan-files\n/, () =>
      files
        .list(FOLDER)
        .map((name) => `${FOLDER}/${name}`)
        .map((path) => `${Buffer.from(files.text(path) ?? "").toString("base64")} ${path}\n`)
        .join(""),
    );
}
