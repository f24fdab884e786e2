/** One address has many spellings; whatever compares two of them compares what they mean. */
import { BlockList, SocketAddress } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  canonicalCidr,
  canonicalIp,
  contains,
  familyOf,
  parseCidr,
  parseIp,
  sameCidr,
  sameIp,
  scopeOf,
} from "#engine/net/ip.ts";
import { ipv4Bytes, ipv6Groups, spellingsOf6 } from "../../../support/ip-spellings.ts";

const spelled6 = ipv6Groups.chain((groups) => fc.tuple(spellingsOf6(groups), spellingsOf6(groups)));

/** The same by Node's own reading, which is inet_pton and inet_ntop. */
const byNode = (text: string) => new SocketAddress({ address: text, family: "ipv6" }).address;

describe("an address in any two spellings", () => {
  it("is one address", () => {
    fc.assert(
      fc.property(spelled6, ([a, b]) => {
        expect(sameIp(a, b), `${a} ${b}`).toBe(true);
        expect(canonicalIp(a)).toBe(canonicalIp(b));
      }),
      { numRuns: 5000 },
    );
  });

  it("is one prefix, with the same length only", () => {
    const length = fc.integer({ min: 0, max: 128 });
    fc.assert(
      fc.property(spelled6, length, length, ([a, b], one, other) => {
        expect(sameCidr(`${a}/${one}`, `${b}/${one}`)).toBe(true);
        expect(sameCidr(`${a}/${one}`, `${b}/${other}`)).toBe(one === other);
        expect(sameIp(a, `${b}/${one}`)).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });

  it("is another one where a bit differs", () => {
    fc.assert(
      fc.property(ipv6Groups, fc.nat(7), fc.nat(15), (groups, at, bit) => {
        const other = groups.map((group, index) => (index === at ? group ^ (1 << bit) : group));
        const text = (of: readonly number[]) => of.map((group) => group.toString(16)).join(":");
        expect(sameIp(text(groups), text(other))).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });

  it("is equal by Node's own reading where it is here, and only there", () => {
    let compared = 0;
    const any = ipv6Groups.chain(spellingsOf6);
    fc.assert(
      fc.property(any, any, spelled6, (a, b, [c, d]) => {
        for (const [one, other] of [
          [a, b],
          [c, d],
          [a, c],
        ] as const) {
          expect(sameIp(one, other), `${one} ${other}`).toBe(byNode(one) === byNode(other));
          compared += 1;
        }
      }),
      { numRuns: 3000 },
    );
    process.stdout.write(`addresses: ${compared} pairs compared as inet_pton compares them\n`);
    expect(compared).toBeGreaterThanOrEqual(9000);
  });
});

describe("an IPv4 address", () => {
  it("is the same inside IPv6, in every spelling of that", () => {
    fc.assert(
      fc.property(ipv4Bytes, ([a, b, c, d]) => {
        const dotted = [a, b, c, d].join(".");
        const hex = [(a << 8) | b, (c << 8) | d].map((group) => group.toString(16)).join(":");
        for (const inside of [`::ffff:${dotted}`, `::FFFF:${hex}`, `0:0:0:0:0:ffff:${dotted}`]) {
          expect(sameIp(dotted, inside), inside).toBe(true);
          expect(familyOf(inside)).toBe("IPv4");
        }
        expect(sameCidr(`${dotted}/24`, `::ffff:${dotted}/120`)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    "1.2.3",
    "01.2.3.4",
    "1.2.3.256",
    "0x7f.0.0.1",
    "1.2.3.4.5",
    "1.2.3.4%eth0",
    " 1.2.3.4",
  ])("%s is none", (text) => {
    expect(parseIp(text)).toBeUndefined();
    expect(sameIp(text, text)).toBe(false);
  });
});

describe("the interface of an address", () => {
  it.each([
    ["fe80::1%eth0", "FE80:0::1%eth0", true],
    ["fe80::1%eth0", "fe80::1%eth1", false],
    ["fe80::1%eth0", "fe80::1", false],
    ["ff02::1%eth0", "ff02::1%eth1", false],
    // The kernel ignores it where the address is not of a link.
    ["2001:db8::1%eth0", "2001:db8::1", true],
    ["ff05::1%eth0", "ff05::1", true],
  ])("%s and %s: %s", (a, b, same) => {
    expect(sameIp(a, b)).toBe(same);
  });
});

describe("what is no address or prefix", () => {
  it.each(["", "::1::", "1:2:3:4:5:6:7", "g::1", "00001::1", "::1%", "::1%a%b", "[::1]", "::1/64"])(
    "%s is no address",
    (text) => expect(parseIp(text)).toBeUndefined(),
  );
  it.each([
    "::1",
    "::1/129",
    "::1/064",
    "::1/ 64",
    "::1/6e1",
    "1.2.3.4/33",
    "fe80::1%eth0/64",
    "::/",
  ])("%s is no prefix", (text) => expect(parseCidr(text)).toBeUndefined());
});

it("says what an address is good for as a list of the blocks does", () => {
  const blocks = [
    ["loopback", "::1", 128, "ipv6"],
    ["loopback", "127.0.0.0", 8, "ipv4"],
    ["link-local", "fe80::", 10, "ipv6"],
    ["link-local", "169.254.0.0", 16, "ipv4"],
    ["multicast", "ff00::", 8, "ipv6"],
    ["multicast", "224.0.0.0", 4, "ipv4"],
  ] as const;
  const near = fc.constantFrom(
    0,
    1,
    0xfe7f,
    0xfe80,
    0xfebf,
    0xfec0,
    0xfeff,
    0xff00,
    0xff02,
    0x2001,
  );
  const six = fc
    .tuple(near, fc.constantFrom(0, 1, 0xffff))
    .map(([head, tail]) => `${head.toString(16)}::${tail.toString(16)}`);
  const four = fc
    .tuple(
      fc.constantFrom(0, 1, 126, 127, 128, 168, 169, 170, 223, 224, 239, 240, 255),
      fc.constantFrom(0, 253, 254, 255),
    )
    .map(([a, b]) => `${a}.${b}.0.1`);
  fc.assert(
    fc.property(fc.oneof(six, four), (text) => {
      const ip = parseIp(text);
      if (ip === undefined) throw new Error(text);
      for (const [scope, net, prefix, family] of blocks) {
        if ((family === "ipv6") !== (ip.family === "IPv6")) continue;
        const list = new BlockList();
        list.addSubnet(net, prefix, family);
        expect(scopeOf(ip) === scope, text).toBe(list.check(text, family));
        const block = parseCidr(`${net}/${prefix}`);
        if (block !== undefined) expect(contains(block, ip)).toBe(list.check(text, family));
      }
    }),
    { numRuns: 2000 },
  );
});

it("writes a prefix in one spelling, and leaves what is none alone", () => {
  expect(canonicalCidr("2001:DB8:0:0::1/64")).toBe("2001:db8::1/64");
  expect(canonicalCidr("default")).toBe("default");
  expect(canonicalIp("cp1")).toBe("cp1");
});
