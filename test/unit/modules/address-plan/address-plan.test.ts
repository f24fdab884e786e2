import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isPlaybookError } from "#engine/index.ts";
import { type AddressPlanInput, defineAddressPlan } from "#modules/address-plan/address-plan.ts";

const good: AddressPlanInput = {
  nodes: "2001:db8:1::/64",
  pods: "2001:db8:2::/56",
  services: "2001:db8:3::/112",
  virtualIp: "2001:db8:1::100",
  hosts: { cp1: "2001:db8:1::11", w1: "2001:DB8:1:0::21" },
};

const refusal = (change: Partial<AddressPlanInput>): string => {
  try {
    defineAddressPlan({ ...good, ...change });
  } catch (error) {
    if (!isPlaybookError(error)) throw error;
    expect(error.code).toBe("PB_ADDRESS_PLAN");
    return `${error.message} ${error.hint}`;
  }
  return "accepted";
};

test("a plan that works is in canonical form, with what follows from it", () => {
  expect(defineAddressPlan(good)).toEqual({
    family: "IPv6",
    nodes: "2001:db8:1::/64",
    pods: "2001:db8:2::/56",
    services: "2001:db8:3::/112",
    virtualIp: "2001:db8:1::100",
    podMask: 64,
    hosts: { cp1: "2001:db8:1::11", w1: "2001:db8:1::21" },
    clusterDns: "2001:db8:3::a",
    apiServerServiceIp: "2001:db8:3::1",
    maxNodes: 256,
  });
});

describe("what kubeadm, the API server or the network would refuse", () => {
  test.each<[string, Partial<AddressPlanInput>, RegExp]>([
    ["a pod mask that does not fit", { podMask: 48 }, /\/48 does not fit.*podMask 64/],
    ["more than 16 bits of nodes", { pods: "2001:db8:2::/47" }, /17 bits wider.*Use a \/48/],
    [
      "a Service prefix wider than /108",
      { services: "2001:db8:3::/64" },
      /wider than \/108.*2001:db8:3::\/112/,
    ],
    ["fewer than ten Service addresses", { services: "2001:db8:3::/125" }, /too small.*\/112/],
    [
      "pods that overlap Services",
      { services: "2001:db8:2::/112" },
      /pod prefix.*overlaps the Service/,
    ],
    ["pods that overlap nodes", { pods: "2001:db8:1::/56" }, /overlaps the node prefix/],
    [
      "Services of another family",
      { services: "198.51.100.0/24" },
      /Services.*is IPv4 while the nodes are IPv6/,
    ],
    [
      "a virtual IP outside the node prefix",
      { virtualIp: "2001:db8:9::1" },
      /outside the node prefix.*2001:db8:1::100/,
    ],
    [
      "a virtual IP that a host has",
      { virtualIp: "2001:db8:1::11" },
      /2001:db8:1::11 of cp1 is also the virtual IP/,
    ],
    [
      "two hosts with one address",
      { hosts: { a: "2001:db8:1::1", b: "2001:db8:1::1" } },
      /also that of a/,
    ],
    ["a host outside", { hosts: { a: "2001:db8:7::1" } }, /of a is outside the node prefix/],
    ["host bits", { pods: "2001:db8:2::5/56" }, /host bits.*2001:db8:2::\/56/],
    ["no mask", { pods: "2001:db8:2::" }, /has no mask/],
    ["site-local", { pods: "fec0:1::/56" }, /site-local.*fd00::\/8/],
    ["link-local", { nodes: "fe80::/64" }, /link-local/],
    ["multicast", { services: "ff05::/112" }, /multicast/],
    ["IPv4-mapped", { services: "::ffff:192.0.2.0/120" }, /IPv4 address in IPv6 form/],
    ["a zone", { virtualIp: "2001:db8:1::100%eth0" }, /not a bare address/],
    ["text", { nodes: "here/64" }, /is no IPv6 address/],
    [
      "too few blocks for the hosts",
      { pods: "2001:db8:2::/64" },
      /room for 1 nodes.*a \/63 or wider/,
    ],
  ])("%s", (_name, change, says) => {
    expect(refusal(change)).toMatch(says);
  });
});

test("any pod mask up to 16 bits below the prefix is accepted, any other is not", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 128 }), (podMask) => {
      const accepted = podMask >= 57 && podMask <= 72;
      expect(refusal({ podMask }) === "accepted").toBe(accepted);
    }),
  );
});
