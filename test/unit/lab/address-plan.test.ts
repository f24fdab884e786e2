import { Address6 } from "ip-address";
import { describe, expect, it } from "vitest";
import { addressPlan, FIRST_HOST, freeIndex, macAddress } from "#lab/plan/address-plan.ts";
import { checkHostName, checkLabName, machineNames } from "#lab/plan/names.ts";

describe("address plan", () => {
  const plan = addressPlan("lab");

  it("gives a lab the same addresses every time, all in one ULA /48", () => {
    expect(addressPlan("lab")).toMatchObject({ ...plan, host: expect.any(Function) });
    const site = new Address6(`${plan.prefix.split("::")[0]}::/48`);
    const all = [
      plan.gateway,
      plan.machine,
      plan.virtualIp,
      plan.host(11),
      plan.podPrefix,
      plan.servicePrefix,
    ];
    for (const address of all) expect(new Address6(address).isInSubnet(site)).toBe(true);
    expect(new Address6(plan.prefix).isInSubnet(new Address6("fd00::/8"))).toBe(true);
  });

  it("puts hosts, gateway, machine and virtual IP into the hosts' /64 and pods and Services outside", () => {
    const hosts = new Address6(plan.prefix);
    for (const address of [plan.gateway, plan.machine, plan.virtualIp, plan.host(11)])
      expect(new Address6(address).isInSubnet(hosts)).toBe(true);
    for (const prefix of [plan.podPrefix, plan.servicePrefix])
      expect(new Address6(prefix).isInSubnet(hosts)).toBe(false);
  });

  it("writes network prefixes without host bits", () => {
    for (const prefix of [plan.prefix, plan.podPrefix, plan.servicePrefix])
      expect(prefix).toBe(new Address6(prefix).networkForm());
  });

  it("keeps labs apart", () => {
    const prefixes = ["lab", "dev", "ci", "a", "b"].map((name) => addressPlan(name).prefix);
    expect(new Set(prefixes).size).toBe(prefixes.length);
  });

  it("shows a host's index in decimal at the end of its address", () => {
    expect(plan.host(11)).toMatch(/::11$/);
    expect(plan.host(112)).toMatch(/::112$/);
  });

  it("gives the lowest free index, never that of the virtual IP", () => {
    expect(freeIndex([])).toBe(FIRST_HOST);
    expect(freeIndex([11, 13])).toBe(12);
    const taken = Array.from({ length: 89 }, (_, at) => FIRST_HOST + at);
    expect(freeIndex(taken)).toBe(101);
  });

  it("gives each host a unicast, locally administered MAC that stays", () => {
    expect(macAddress("lab", "cp1")).toMatch(/^02(:[0-9a-f]{2}){5}$/);
    expect(macAddress("lab", "cp1")).toBe(macAddress("lab", "cp1"));
    expect(macAddress("lab", "cp1")).not.toBe(macAddress("lab", "cp2"));
  });
});

describe("names", () => {
  it.each(["lab", "a", "ci-2", "eleven-char"])("accepts the lab name %s", (name) => {
    expect(checkLabName(name)).toBe(name);
  });

  it.each(["", "Lab", "1lab", "a.b", "lab-", "twelve-chars", "a/b", "a b"])(
    'refuses the lab name "%s" and says what is allowed',
    (name) => {
      expect(() => checkLabName(name)).toThrow(/1 to 11 lower-case letters/);
    },
  );

  it.each(["", "cp_1", "cp.1", "fourteen-chars", "-cp"])('refuses the host name "%s"', (name) => {
    expect(() => checkHostName(name)).toThrow(/1 to 13 lower-case letters/);
  });

  it("never calls things of two labs alike, and interfaces fit the kernel's 15 characters", () => {
    expect(machineNames("a-b").host("c")).not.toBe(machineNames("a").host("b-c"));
    expect(machineNames("eleven-char").cable.length).toBeLessThanOrEqual(15);
    expect(machineNames("a").host("b").startsWith(machineNames("a").hostPrefix)).toBe(true);
    expect(machineNames("ab").host("b").startsWith(machineNames("a").hostPrefix)).toBe(false);
  });
});
