import { Address6 } from "ip-address";
import { afterAll, beforeAll, expect, test } from "vitest";
import { inventorySource } from "#lab/inventory-file.ts";
import { labVersions } from "#lab/versions.ts";
import type { Played } from "../support/cli.ts";
import { type Edit, LabCluster, shownErrors, tellRun } from "../support/lab-cluster.ts";

// The other way for pods to reach other nodes, from bare hosts on.
const cluster = new LabCluster("gaps");
const flannel: Edit = ['"quirks": {', '"network": "flannel",\n    "quirks": {'];
const sys = "/sys/class/net";
const device = "flannel-v6.1";
let first: Played;

beforeAll(async () => {
  await cluster.up("cp1", "w1");
  first = await cluster.bootstrapWith([flannel]);
  tellRun("bare hosts to proved cluster with flannel", first);
});

afterAll(() => cluster[Symbol.asyncDispose]());

test("bare hosts become a proved cluster", () => {
  expect(shownErrors(first)).toEqual([]);
  expect(first.code).toBe(0);
  for (const proof of ["pods reach pods", "pods reach Services", "hosts reach NodePorts"])
    for (const host of ["cp1", "w1"]) expect(first.ended("ok")).toContain(`${proof} on ${host}`);
  expect(first.ended("ok")).toContain("no IPv4 packet on w1");
});

test("what pods say to the other node went through flannel's device, which sets the MTU of theirs", async () => {
  for (const [host, other] of [
    ["cp1", "w1"],
    ["w1", "cp1"],
  ] as const) {
    const pods = await cluster.kubectl("get", "node", other, "-o", "jsonpath={.spec.podCIDR}");
    expect(pods).toMatch(/^[0-9a-f:]+\/64$/);
    expect(await cluster.on(host, "ip", "-6", "route", "show", pods)).toContain(`dev ${device}`);
    expect(
      Number(await cluster.on(host, "cat", `${sys}/${device}/statistics/tx_packets`)),
    ).toBeGreaterThan(0);
    const mtu = (of: string) => cluster.on(host, "cat", `${sys}/${of}/mtu`);
    expect(await mtu("cni0")).toBe(await mtu(device));
  }
});

test("a second run changes nothing", async () => {
  const again = await cluster.bootstrapWith([flannel]);
  tellRun("again", again);
  expect(shownErrors(again)).toEqual([]);
  expect(again.ended("changed")).toEqual([]);
  expect(again.code).toBe(0);
});

test("nor does one that is told the same in other spellings: no address is compared as text", async () => {
  const own = inventorySource(await cluster.lab.view());
  const edits = new Map(
    Array.from(own.matchAll(/(["[])(fd[0-9a-f:]+)(["\]/])/g), ([was, before, text = "", after]) => [
      was,
      `${before}${new Address6(text).canonicalForm().toUpperCase()}${after}`,
    ]),
  );
  const again = await cluster.bootstrapWith([...edits, flannel]);
  tellRun(`again, ${edits.size} addresses in capitals and in full`, again);
  expect(edits.size).toBeGreaterThan(5);
  expect(shownErrors(again)).toEqual([]);
  expect(again.ended("changed")).toEqual([]);
  expect(again.code).toBe(0);
});

test("another version is refused on every node before a program is replaced", async () => {
  const programs = () =>
    Promise.all(["cp1", "w1"].map((host) => cluster.sh(host, "sha256sum /usr/local/bin/kube*")));
  const before = await programs();
  const { kubernetes } = labVersions;
  const other: Edit = [`"kubernetes": "${kubernetes}"`, '"kubernetes": "v1.0.0"'];
  const refused = await cluster.bootstrapWith([other, flannel]);
  tellRun("another version", refused);
  expect(shownErrors(refused).toSorted()).toEqual(
    ["cp1", "w1"].map((host) => expect.stringContaining(`PB_CLUSTER_DIFFERS on ${host}`)),
  );
  expect(refused.stdout).toContain(`version is \\"${kubernetes}\\", not v1.0.0`);
  expect(await programs()).toEqual(before);
});
