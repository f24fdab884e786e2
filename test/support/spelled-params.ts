/** Random wishes of modules, each with the same wish in other spellings: what means the same finds nothing to do. */
import fc from "fast-check";
import type { Action } from "#engine/dsl/module.ts";
import { parseIp } from "#engine/net/ip.ts";
import type { LabView } from "#lab/view.ts";
import * as use from "#modules/index.ts";
import { spellingsOf6 } from "./ip-spellings.ts";
import { unitFile } from "./module-lives.ts";
import {
  account,
  address,
  address6,
  apart,
  both,
  kernelNumber,
  mode,
  type Pair,
  set,
  text,
} from "./spelled-values.ts";

/** A module with the params that one playbook says, and those that another one says of the same. */
type Wishes = fc.Arbitrary<Pair<Action>>;

const spelled = <P>(action: (params: P) => Action, wish: fc.Arbitrary<Pair<P>>): Wishes =>
  wish.map(([one, other]) => [action(one), action(other)]);

const pair = <T>(one: T, other: T): Pair<T> => [one, other];

const sysctl = fc
  .tuple(kernelNumber, fc.constantFrom(0, 1), fc.nat(9))
  .map(([[one, other], forwarding, more]) => {
    const sizes = [4096, 131_072, 6_291_456 + more];
    const first = {
      "net.core.somaxconn": one,
      "net.ipv6.conf.all.forwarding": forwarding,
      "net.ipv4.tcp_rmem": sizes.join(" "),
    };
    const second = {
      "net/ipv4/tcp_rmem": sizes.join("  "),
      "net/ipv6/conf/all/forwarding": String(forwarding),
      "net/core/somaxconn": other,
    };
    return pair({ values: first }, { values: second });
  });

// The kernel takes - and _ for one character in names of modules.
const kernelModules = set(["br_netfilter", "nf_conntrack", "overlay", "vxlan"]).map(
  ([one, other]) =>
    pair({ modules: one }, { modules: other.map((name) => name.replaceAll("_", "-")) }),
);

const hostsFile = fc.array(address, { minLength: 1, maxLength: 4 }).map((addresses) => {
  const [one, other] = apart(addresses);
  const entries = (list: readonly string[]) =>
    list.map((each, index) => ({ address: each, names: [`n${index}.example.net`] }));
  const block = "spelled";
  return pair({ block, entries: entries(one) }, { block, entries: entries(other) });
});

const owned = fc
  .tuple(account, account)
  .map(([[owner, sameOwner], [group, sameGroup]]) =>
    pair({ owner, group }, { owner: sameOwner, group: sameGroup }),
  );

const timeSync = fc.array(address, { minLength: 1, maxLength: 3 }).map((servers) => {
  const [one, other] = apart(servers);
  return pair({ servers: one }, { servers: other });
});

/** With what virtual-ip needs. */
const apt = set(["bc", "tree", "less"]).map(([some, same]) => {
  const [present, sameThere] = [some, same].map((names) => [...names, "keepalived"]);
  const absent = ["nano"];
  return pair({ present, absent }, { present: sameThere, absent, maxAge: "1h" as const });
});

const file = fc.tuple(text, mode, owned).map(([content, bits, [one, other]]) => {
  const same = { path: "/etc/spelled/file", content, mode: bits };
  return pair({ ...same, ...one }, { ...same, ...other });
});

const directory = fc.tuple(mode, owned).map(([bits, [one, other]]) => {
  const same = { path: "/srv/spelled", mode: bits };
  return pair({ ...same, ...one }, { ...same, ...other });
});

const template = fc.tuple(text, fc.integer(), owned).map(([line, count, [one, other]]) => {
  const same = { path: "/etc/spelled/template", text: "{{line}}:{{count}}\n" };
  return pair(
    { ...same, ...one, values: { line, count } },
    { ...same, ...other, values: { count: String(count), line }, mode: 420 },
  );
});

const keys = [1, 2, 3].map((byte) => {
  const field = (bytes: Buffer) => Buffer.concat([Buffer.of(0, 0, 0, bytes.length), bytes]);
  const blob = Buffer.concat([field(Buffer.from("ssh-ed25519")), field(Buffer.alloc(32, byte))]);
  return `ssh-ed25519 ${blob.toString("base64")} key-${byte}`;
});

const user = fc
  .tuple(
    set(["adm", "users", "games"]),
    set(keys),
    fc.constantFrom("Ada", "Ada L", "é"),
    fc.constantFrom("/bin/sh", "/bin/bash"),
  )
  .map(([[groups, sameGroups], [authorizedKeys, sameKeys], comment, shell]) => {
    const same = { name: "spelled", comment, shell, sudo: "without-password" as const };
    return pair(
      { ...same, groups, authorizedKeys },
      { ...same, groups: sameGroups, authorizedKeys: sameKeys, home: "/home/spelled" },
    );
  });

const unit = fc.integer({ min: 1, max: 9 }).map((number) => {
  const content = unitFile(`/usr/bin/sleep ${number}00000`);
  return both({ name: "spelled.service", content });
});

const service = fc.constantFrom(true, false).chain((running) =>
  set(["/etc/spelled/file", "/etc/spelled/template", "/etc/not-there"]).map(
    ([restartAfter, same]) =>
      pair(
        { name: "spelled.service", running, enabled: running, restartAfter },
        {
          name: "spelled.service",
          running,
          enabled: running,
          restartAfter: same,
          settle: "500ms" as const,
        },
      ),
  ),
);

/** The lab's own archive, whose address is written in any way. */
const aptSource = ({ serviceAddress }: LabView) =>
  fc
    .tuple(address6(groupsOf(serviceAddress)), set(["contrib", "non-free"]))
    .map(([[one, other], [components, sameComponents]]) => {
      const same = {
        name: "spelled",
        suites: ["trixie"],
        signedBy: "/usr/share/keyrings/debian-archive-keyring.gpg",
      };
      return pair(
        { ...same, uris: [`http://[${one}]:3142/debian`], components },
        { ...same, uris: [`http://[${other}]:3142/debian`], components: sameComponents },
      );
    });

/** Of a host that has another one beside it, which is not there. */
function virtualIp({ hosts, virtualIp: free, prefix }: LabView) {
  const addresses = [free, hosts[0]?.address ?? "", prefix.replace(/::\/.*/, "::ffff")];
  return fc
    .tuple(
      ...addresses.map((each) =>
        fc.array(spellingsOf6(groupsOf(each)), { minLength: 4, maxLength: 4 }),
      ),
    )
    .map(([address = [], self = [], other = []]) => {
      const at = (first: number, second: number) => ({
        address: address[first] ?? "",
        self: self[first] ?? "",
        hosts: [self[second] ?? "", other[first] ?? ""],
      });
      return pair(at(0, 1), at(2, 3));
    });
}

/** The first host's own interface, with one address more. */
function netplan({ hosts, gateway, prefix }: LabView) {
  const own = address6(groupsOf(hosts[0]?.address ?? ""));
  const net = groupsOf(prefix.slice(0, prefix.indexOf("/"))).slice(0, 4);
  const more = fc
    .array(fc.integer({ min: 0x100, max: 0xffff }), { minLength: 4, maxLength: 4 })
    .chain((rest) => address6([...net, ...rest]));
  const mtu = fc.constantFrom(undefined, 1400, 1500);
  const via = address6(groupsOf(gateway));
  return fc.tuple(own, more, via, mtu).map(([[one, other], [two, too], [way, sameWay], bytes]) => {
    const replaces = ["/etc/netplan/50-lab.yaml"];
    const size = bytes === undefined ? {} : { mtu: bytes };
    const first = { addresses: [`${one}/64`, `${two}/64`], routes: [{ via: way }], ...size };
    const routes = [{ to: "::/0", via: sameWay }];
    const second = { addresses: [`${other}/64`, `${too}/64`], routes, ...size };
    return pair(
      { interfaces: { eth0: first }, replaces },
      { interfaces: { eth0: second }, replaces },
    );
  });
}

function groupsOf(text: string): number[] {
  const value = parseIp(text)?.value ?? 0n;
  return Array.from({ length: 8 }, (_, index) =>
    Number((value >> BigInt(112 - 16 * index)) & 0xffffn),
  );
}

/** By the module's name; in an order in which a service comes after its unit. */
export const spelledParams: Readonly<Record<string, (view: LabView) => Wishes>> = {
  sysctl: () => spelled(use.sysctl, sysctl),
  "kernel-modules": () => spelled(use.kernelModules, kernelModules),
  hostname: () =>
    spelled(
      use.hostname,
      fc.constantFrom("a", "worker-9").map((name) => both({ name })),
    ),
  "hosts-file": () => spelled(use.hostsFile, hostsFile),
  "time-sync": () => spelled(use.timeSync, timeSync),
  file: () => spelled(use.file, file),
  directory: () => spelled(use.directory, directory),
  template: () => spelled(use.template, template),
  user: () => spelled(use.user, user),
  "systemd-unit": () => spelled(use.systemdUnit, unit),
  service: () => spelled(use.service, service),
  apt: () => spelled(use.apt, apt),
  "apt-source": (view) => spelled(use.aptSource, aptSource(view)),
  "virtual-ip": (view) => spelled(use.virtualIp, virtualIp(view)),
  netplan: (view) => spelled(use.netplan, netplan(view)),
};
