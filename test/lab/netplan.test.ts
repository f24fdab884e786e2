import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { z } from "zod";
import { openLab } from "#lab/lab.ts";
import type { LabView } from "#lab/view.ts";
import * as use from "#modules/index.ts";
import type { Params } from "#modules/netplan/params.ts";
import { ensureOn, playOnLab } from "../support/lab-play.ts";

const lab = openLab("osmod");
let view: LabView;

const exec = async (host: string, text: string) => {
  const result = await lab.exec(host, ["sh", "-c", text]);
  expect(result, text).toMatchObject({ code: 0 });
  return result.stdout;
};

beforeAll(async () => {
  await lab.down();
  view = await lab.up({ hosts: ["w1", "w2"], disk: "1G", bare: true, yes: true });
});
afterAll(() => lab.down());

const addressOf = (host: string) => view.hosts.find(({ name }) => name === host)?.address ?? "";
const at = (last: string) => view.prefix.replace("::/64", `::${last}`);

type Extra = Partial<z.input<typeof Params>> & {
  readonly addresses: string[];
  readonly via?: string;
};
const network = ({ addresses, via = view.gateway, ...rest }: Extra) =>
  use.netplan({
    interfaces: {
      eth0: { addresses: addresses.map((own) => `${own}/64`), routes: [{ via }] },
    },
    replaces: ["/etc/netplan/50-lab.yaml"],
    within: "20s",
    ...rest,
  });

describe("netplan on real hosts", () => {
  it("refuses while another file configures the interface", async () => {
    const { errors } = await ensureOn(
      view,
      "w1",
      network({ addresses: [addressOf("w1")], replaces: [] }),
    );
    expect(errors).toMatchObject([{ code: "PB_NETPLAN_CONFLICT" }]);
    expect(errors[0]?.message).toContain("/etc/netplan/50-lab.yaml");
  });

  it("takes over, and a second run changes nothing", async () => {
    const wanted = network({ addresses: [addressOf("w1"), at("61")], peers: [addressOf("w2")] });
    const first = await ensureOn(view, "w1", wanted);
    expect(first.errors).toEqual([]);
    expect(first.recap).toMatchObject({ changed: 1 });
    expect(await exec("w1", "ls /etc/netplan")).toBe("90-run-playbook.yaml\n");
    expect((await ensureOn(view, "w1", wanted)).recap).toMatchObject({ ok: 1, changed: 0 });
  });

  it("puts back an address that was deleted by hand", async () => {
    const wanted = network({ addresses: [addressOf("w1"), at("61")] });
    await exec("w1", `ip address delete ${at("61")}/64 dev eth0`);
    const { changes, errors } = await ensureOn(view, "w1", wanted);
    expect(errors).toEqual([]);
    expect(changes).toEqual([`eth0: + ${at("61")}/64`]);
    expect((await ensureOn(view, "w1", wanted)).recap).toMatchObject({ ok: 1, changed: 0 });
  });

  it("sets MTU and resolvers, and a foreign virtual IP stays out of it", async () => {
    await exec("w1", `ip address add ${view.virtualIp}/128 dev eth0`);
    const wanted = use.netplan({
      interfaces: {
        eth0: {
          addresses: [`${addressOf("w1")}/64`],
          routes: [{ via: view.gateway }, { to: "2001:db8:ffff::/48", via: addressOf("w2") }],
          nameservers: [view.gateway],
          mtu: 1400,
        },
      },
      within: "20s",
    });
    expect((await ensureOn(view, "w1", wanted)).errors).toEqual([]);
    await exec(
      "w1",
      "[ $(cat /sys/class/net/eth0/mtu) = 1400 ] && ip -6 route | grep -q 2001:db8:ffff::/48",
    );
    await exec("w1", `ip address replace ${view.virtualIp}/128 dev eth0`);
    expect((await ensureOn(view, "w1", wanted)).recap).toMatchObject({ ok: 1, changed: 0 });
  });

  it("goes back by itself from a gateway that does not answer", async () => {
    const before = await exec("w1", "cat /etc/netplan/90-run-playbook.yaml");
    const began = Date.now();
    const { errors, recap } = await ensureOn(
      view,
      "w1",
      network({ addresses: [addressOf("w1")], via: at("dead") }),
    );
    expect(errors).toMatchObject([{ code: "PB_ROLLED_BACK", host: "w1" }]);
    expect(errors[0]?.message).toContain(`${at("dead")} does not answer`);
    expect(recap.exitCode).toBe(1);
    expect(Date.now() - began).toBeLessThan(60_000);
    expect(await exec("w1", "cat /etc/netplan/90-run-playbook.yaml")).toBe(before);
    expect((await ensureOn(view, "w1", use.assertOs({}))).recap).toMatchObject({ ok: 1 });
    await exec("w1", `ip -6 route show default | grep -q 'via ${view.gateway} '`);
  });

  it("goes back by itself from an address that cuts the host off", async () => {
    const wrong = "fd00:dead:beef::1";
    const { errors } = await ensureOn(
      view,
      "w1",
      use.netplan({
        interfaces: { eth0: { addresses: [`${wrong}/64`] } },
        within: "15s",
      }),
    );
    expect(errors).toMatchObject([{ code: "PB_ROLLED_BACK" }]);
    expect((await ensureOn(view, "w1", use.assertOs({}))).recap).toMatchObject({ ok: 1 });
    await exec("w1", `! ip -6 address show dev eth0 | grep -q ${wrong}`);
  });

  it("goes back to what was live where the files that were there had never been applied", async () => {
    const file = (await exec("w1", "ls /etc/netplan/*.yaml")).trim();
    const live = "ip -o -6 address show dev eth0 scope global | sort; ip -6 route show default";
    const [before, was] = [await exec("w1", `cat ${file}`), await exec("w1", live)];
    const never = `network:
  version: 2
  ethernets:
    eth0: {addresses: ["fd00:dead:beef::1/64"], mtu: 1300, routes: [{to: default, via: "fd00:dead:beef::2"}]}
`;
    await exec("w1", `cat >${file} <<'E'\n${never}E`);
    const wanted = network({ addresses: [addressOf("w1")], via: at("dead") });
    const { errors } = await ensureOn(view, "w1", wanted);
    expect(errors).toMatchObject([{ code: "PB_ROLLED_BACK" }]);
    expect(await exec("w1", `cat ${file}`)).toBe(never);
    expect(await exec("w1", live)).toBe(was);
    await exec("w1", "[ $(cat /sys/class/net/eth0/mtu) != 1300 ]");
    expect((await ensureOn(view, "w1", use.assertOs({}))).recap).toMatchObject({ ok: 1 });
    await exec("w1", `cat >${file} <<'E'\n${before}E\nnetplan apply`);
  });

  it("finds static link-local addresses, ::/0 and RFC 6164's pairs on the link in any spelling", async () => {
    const wanted = (spelled: (text: string) => string) =>
      use.netplan({
        interfaces: {
          eth0: {
            addresses: [
              `${spelled(addressOf("w1"))}/64`,
              `${spelled("fe80::11")}/64`,
              `${spelled("fd00:7::0")}/127`,
              "169.254.7.1/16",
              "192.0.2.6/31",
            ],
            routes: [{ to: spelled("::/0"), via: spelled(view.gateway) }],
          },
        },
        replaces: ["/etc/netplan/50-lab.yaml"],
        within: "30s",
      });
    const first = await ensureOn(
      view,
      "w1",
      wanted((text) => text),
    );
    expect(first.errors).toEqual([]);
    expect(first.recap).toMatchObject({ changed: 1 });
    const upper = await ensureOn(
      view,
      "w1",
      wanted((text) => (text === "::/0" ? "0:0::0/0" : text.toUpperCase().replace("::", "::0:"))),
    );
    expect(upper.errors).toEqual([]);
    expect(upper.recap).toMatchObject({ ok: 1, changed: 0 });
    const got = await exec("w1", "netplan get ethernets.eth0.addresses");
    expect(got).toContain("fd00:7::/127");
  });

  it("goes on at the new address when that under the connection changes", async () => {
    const next = at("72");
    const change = network({ addresses: [next], address: next, within: "40s" });
    const played = await playOnLab(view, ({ step, on }) => {
      const moved = step("move", { on: on("w2"), ensure: change });
      step("after", {
        on: on("w2"),
        after: [moved],
        ensure: use.file({ path: "/etc/moved", content: "yes\n" }),
      });
    });
    expect(played.errors).toEqual([]);
    expect(played.recap).toMatchObject({ changed: 2, exitCode: 0 });
    expect(await exec("w2", "cat /etc/moved; ip -o -6 address show dev eth0 scope global")).toMatch(
      new RegExp(`^yes\\n[^\\n]*${next}/64[^\\n]*\\n$`),
    );
  });

  it("keeps the address of a cluster member, with the reason", async () => {
    await exec("w1", "mkdir -p /etc/kubernetes && touch /etc/kubernetes/kubelet.conf");
    const { errors, changes } = await ensureOn(
      view,
      "w1",
      network({ addresses: [at("62")], address: at("62") }),
    );
    expect(errors).toMatchObject([{ code: "PB_CLUSTER_MEMBER" }]);
    expect(errors[0]?.message).toContain(`Taking ${addressOf("w1")} from eth0`);
    expect(changes).toEqual([]);
    await exec("w1", "rm -r /etc/kubernetes");
  });
});

describe("reboot on a real host", () => {
  const bootId = async () => (await exec("w1", "cat /proc/sys/kernel/random/boot_id")).trim();

  it("starts the host anew once, and goes on", async () => {
    const since = await bootId();
    const wanted = use.reboot({ since, within: "60s" });
    const first = await ensureOn(view, "w1", wanted);
    expect(first.errors).toEqual([]);
    expect(first.changes).toEqual(["reboot: it was not since the playbook began"]);
    expect(await bootId()).not.toBe(since);
    expect((await ensureOn(view, "w1", wanted)).recap).toMatchObject({ ok: 1, changed: 0 });
  });

  it("is due when a file changed since the boot", async () => {
    const wanted = use.reboot({ after: ["/etc/hostname"], within: "60s" });
    expect((await ensureOn(view, "w1", wanted)).recap).toMatchObject({ ok: 1 });
    await exec("w1", "touch /etc/hostname");
    const { errors, recap } = await ensureOn(view, "w1", wanted);
    expect(errors).toEqual([]);
    expect(recap).toMatchObject({ changed: 1 });
  });
});

describe("a default route learned from a router", () => {
  // One router advertisement from w2, good for 1800 s.
  const advertise = `import socket, struct
dev = socket.if_nametoindex("eth0")
out = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
out.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
out.sendto(struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0), ("ff02::1", 0, 0, dev))`;
  const learned = "ip -6 route show default | grep -q 'proto ra'";

  it("is not lost to forwarding: refused without accept_ra=2, kept with it", async () => {
    const keys = "/proc/sys/net/ipv6/conf";
    await exec("w1", `echo 0 >${keys}/all/forwarding; echo 1 >${keys}/eth0/accept_ra`);
    await lab.exec("w2", ["python3", "-c", advertise]);
    await exec("w1", `for _ in $(seq 50); do ${learned} && exit 0; sleep 0.1; done; exit 1`);

    const forwarding = { "net.ipv6.conf.all.forwarding": 1 };
    const refused = await ensureOn(view, "w1", use.sysctl({ values: forwarding }));
    expect(refused.errors).toMatchObject([{ code: "PB_ROUTE_AT_RISK" }]);
    expect(refused.changes).toEqual([]);

    const both = use.sysctl({ values: { ...forwarding, "net.ipv6.conf.eth0.accept_ra": 2 } });
    expect((await ensureOn(view, "w1", both)).errors).toEqual([]);
    await exec("w1", learned);
  });
});
