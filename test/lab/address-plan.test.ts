import { afterAll, beforeAll, expect, test } from "vitest";
import type { LabView } from "#lab/view.ts";
import { cli } from "../support/cli.ts";
import { LabCluster } from "../support/lab-cluster.ts";

// Plans that kubeadm or the API server would stumble over, in an inventory of hosts that are there and would answer.
const cluster = new LabCluster("cfault");
let view: LabView;

beforeAll(async () => {
  view = await cluster.up("cp1", "w1");
});

afterAll(() => cluster[Symbol.asyncDispose]());

const logins = () =>
  cluster.sh("cp1", "journalctl -q --no-pager | grep -c 'Accepted publickey' || :");

test.each([
  [
    "a node prefix that holds none of the hosts",
    "nodes",
    "2001:db8::/64",
    /the virtual IP .* is outside the node prefix 2001:db8::\/64.* Use an unused address such as 2001:db8::100/,
  ],
  [
    "a node prefix with host bits",
    "nodes",
    "2001:db8::1/64",
    /the node prefix 2001:db8::1\/64 has host bits set.* Use 2001:db8::\/64/,
  ],
  [
    "a pod prefix too wide for its mask",
    "pods",
    "2001:db8::/40",
    /the pod prefix 2001:db8::\/40 is 24 bits wider than a node's \/64.* Use a \/48 for pods, or podMask 56/,
  ],
  [
    "a pod prefix smaller than a node's share",
    "pods",
    "2001:db8::/72",
    /a node's share \/64 does not fit into the pod prefix 2001:db8::\/72.* Use podMask 80/,
  ],
  [
    "a Service prefix wider than kubeadm takes",
    "services",
    "2001:db8::/64",
    /the Service prefix 2001:db8::\/64 is wider than \/108.* Use \/112, for example 2001:db8::\/112/,
  ],
  [
    "pods of another family",
    "pods",
    "198.51.100.0/24",
    /198\.51\.100\.0\/24\) is IPv4 while the nodes are IPv6.* Use an IPv6 prefix/,
  ],
  [
    "pods in the nodes' own prefix",
    "pods",
    "NODES",
    /the pod prefix \S+ overlaps the node prefix \S+.* Use prefixes that share no address/,
  ],
  [
    "a virtual IP that is a host's",
    "virtualIp",
    "CP1",
    /of cp1 is also the virtual IP.* Use an address of its own for each/,
  ],
])("%s is refused before any connection", async (_, field, wrong, says) => {
  const value = wrong
    .replace("NODES", view.prefix)
    .replace("CP1", view.hosts.find(({ name }) => name === "cp1")?.address ?? "");
  const right = {
    nodes: view.prefix,
    pods: view.podPrefixes[0],
    services: view.servicePrefixes[0],
    virtualIp: view.virtualIp,
  }[field];
  const before = await logins();
  const file = await cluster.inventory([[`"${field}": "${right}"`, `"${field}": "${value}"`]]);
  const refused = await cli(["bootstrap.ts", "--inventory", file, "--yes"]);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain("PB_ADDRESS_PLAN");
  expect(`${refused.stdout}${refused.stderr}`.replace(/\s+/g, " ")).toMatch(says);
  expect(await logins()).toBe(before);
});

test("with the plan that fits, the run goes on to the hosts", async () => {
  const before = await logins();
  const looked = await cluster.bootstrap("--check");
  expect(looked.ended("failed")).toEqual([]);
  expect(looked.code).toBe(3);
  expect(Number(await logins())).toBeGreaterThan(Number(before));
});
