import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HostAddr } from "#engine/net/host-addr.ts";

const read = (text: string) => {
  const { kind, host, zone, port } = HostAddr.parse(text);
  return { kind, host, ...(zone && { zone }), ...(port && { port }) };
};

describe("an address in any form", () => {
  it.each([
    ["2001:db8::1", { kind: "ipv6", host: "2001:db8::1" }],
    ["[2001:db8::1]", { kind: "ipv6", host: "2001:db8::1" }],
    ["[2001:db8::1]:2222", { kind: "ipv6", host: "2001:db8::1", port: 2222 }],
    ["fe80::1%eth0", { kind: "ipv6", host: "fe80::1", zone: "eth0" }],
    ["[fe80::1%eth0]:22", { kind: "ipv6", host: "fe80::1", zone: "eth0", port: 22 }],
    ["[fe80::1%25eth0]:22", { kind: "ipv6", host: "fe80::1", zone: "eth0", port: 22 }],
    ["fe80::1%eth0.100", { kind: "ipv6", host: "fe80::1", zone: "eth0.100" }],
    ["::1", { kind: "ipv6", host: "::1" }],
    ["::", { kind: "ipv6", host: "::" }],
    ["1:2:3:4:5:6:7::", { kind: "ipv6", host: "1:2:3:4:5:6:7:0" }],
    ["2001:DB8:0:0:0:0:0:1", { kind: "ipv6", host: "2001:db8::1" }],
    ["::ffff:192.0.2.1", { kind: "ipv6", host: "::ffff:192.0.2.1" }],
    ["::ffff:c000:201", { kind: "ipv6", host: "::ffff:192.0.2.1" }],
    ["192.0.2.1", { kind: "ipv4", host: "192.0.2.1" }],
    ["192.0.2.1:2222", { kind: "ipv4", host: "192.0.2.1", port: 2222 }],
    ["CP1.example.org", { kind: "name", host: "cp1.example.org" }],
    ["cp1:2222", { kind: "name", host: "cp1", port: 2222 }],
    ["web_1", { kind: "name", host: "web_1" }],
  ])("%s is read", (text, parts) => {
    expect(read(text)).toEqual(parts);
  });

  it("takes 2001:db8::1:22 as the address that it is, not as a port", () => {
    expect(read("2001:db8::1:22")).toEqual({ kind: "ipv6", host: "2001:db8::1:22" });
  });

  it.each([
    ["", "empty"],
    ["2001:db8::/64", "prefix"],
    ["192.0.2.0/24", "prefix"],
    ["2001:db8::1/128", "prefix"],
    ["1:2:3:4:5:6:7:8:22", "brackets"],
    ["2001:db8::zz", "brackets"],
    ["[2001:db8::1", "brackets"],
    ["[cp1]:22", "only an IPv6"],
    ["[192.0.2.1]:22", "only an IPv6"],
    ["[2001:db8::1]:0", "port"],
    ["[2001:db8::1]:99999", "port"],
    ["[2001:db8::1]:", "port"],
    ["cp1:ssh", "port"],
    ["192.0.2.300", "IPv4"],
    ["192.0.2", "IPv4"],
    ["cp1%eth0", "zone"],
    ["root@cp1", "user"],
    ["cp 1", "white space"],
    ["-oProxyCommand=x", "name"],
    ["fe80::1%", "brackets"],
    ["fe80::1%a%b", "brackets"],
  ])("%s is refused: %s", (text, why) => {
    expect(() => HostAddr.parse(text)).toThrow(
      expect.objectContaining({ code: "PB_ADDRESS_INVALID" }),
    );
    expect(() => HostAddr.parse(text)).toThrow(why);
  });
});

describe("rendering", () => {
  it("puts brackets and zone where each tool wants them", () => {
    const addr = HostAddr.parse("[fe80::1%eth0]:2222");
    expect({
      ssh: addr.ssh(),
      scp: addr.scp(),
      url: addr.url(),
      hostPort: addr.hostPort(),
      other: addr.hostPort(6443),
      san: addr.san(),
      linkLocal: addr.linkLocal,
      text: String(addr),
    }).toEqual({
      ssh: "fe80::1%eth0",
      scp: "[fe80::1%eth0]",
      url: "[fe80::1%25eth0]",
      hostPort: "[fe80::1%eth0]:2222",
      other: "[fe80::1%eth0]:6443",
      san: "fe80::1",
      linkLocal: true,
      text: "[fe80::1%eth0]:2222",
    });
  });

  it("leaves names and IPv4 bare", () => {
    const addr = HostAddr.parse("cp1");
    expect([addr.ssh(), addr.scp(), addr.url(), addr.hostPort(), addr.san()]).toEqual([
      "cp1",
      "cp1",
      "cp1",
      "cp1:22",
      "cp1",
    ]);
  });

  it("reads back every form it renders", () => {
    fc.assert(
      fc.property(fc.ipV6(), fc.integer({ min: 1, max: 65_535 }), (address, port) => {
        const addr = HostAddr.parse(address);
        expect(HostAddr.parse(addr.ssh()).host).toBe(addr.host);
        expect(HostAddr.parse(addr.scp()).host).toBe(addr.host);
        expect(HostAddr.parse(addr.hostPort(port))).toMatchObject({ host: addr.host, port });
        expect(new URL(`http://${addr.url()}/`).hostname).toBe(
          new URL(`http://[${addr.host}]/`).hostname,
        );
      }),
      { numRuns: 300 },
    );
  });
});
