import { afterAll, beforeAll, expect, test } from "vitest";
import { clusterDnsObjects, flannelObjects, proofWorkload } from "#modules/index.ts";
import type { ClusterObject } from "#modules/kubernetes-object/live-objects.ts";
import type { Played } from "../support/cli.ts";
import { LabCluster, shownErrors, tellRun } from "../support/lab-cluster.ts";
import {
  clusterFaults,
  ipv4Faults,
  nameFaults,
  networkFaults,
  type ProofFault,
  type ProofPlaces,
  proofPlaces,
  readinessFaults,
} from "../support/proof-faults.ts";

// One cluster for all. Each test breaks one thing, sees that only its proof fails, and mends it: since the next look
// may see nothing fail but the next test's subject, it also sees that the one before holds again.
const cluster = new LabCluster("cfault");
let places: ProofPlaces;

beforeAll(async () => {
  await cluster.up("cp1", "w1");
  const first = await cluster.bootstrap();
  tellRun("two bare hosts to proved cluster", first);
  expect(shownErrors(first)).toEqual([]);
  places = await proofPlaces(cluster);
});

afterAll(() => cluster[Symbol.asyncDispose]());

/** The gates that did not hold, as "gate on host". */
const failing = ({ events }: Played): string[] =>
  events
    .flatMap((event) =>
      event.type === "node-finished" && event.error ? [`${event.step} on ${event.host}`] : [],
    )
    .sort();

async function onlyItsProofFails(name: string, fault: ProofFault | undefined): Promise<void> {
  if (fault === undefined) throw new Error(`no fault "${name}"`);
  await fault.makes();
  try {
    const looked = await cluster.bootstrap("--check");
    tellRun(name, looked);
    expect(failing(looked)).toEqual(fault.fails);
    expect(shownErrors(looked).join("\n")).toMatch(fault.says);
    expect(looked.ended("would-change")).toEqual([]);
    expect(looked.code).toBe(1);
  } finally {
    await fault.mends();
  }
}

test.each([
  "an IPv4 address on a host",
  "a program that listens on IPv4 only",
  "one IPv4 packet on the wire",
])("%s: only its proof fails", (name) => onlyItsProofFails(name, ipv4Faults(cluster)[name]));

test.each([
  "pods that do not reach the pods of another node",
  "a Service that a node's pods do not reach",
  "a host that does not reach the pods of another",
  "a host whose NodePort is blocked",
])("%s: only its proof fails", (name) =>
  onlyItsProofFails(name, networkFaults(cluster, places)[name]),
);

test.each(["a pod that knows another address for a name", "a Service of DNS that no pod answers"])(
  "%s: only the proofs that need names fail",
  (name) => onlyItsProofFails(name, nameFaults(cluster, places)[name]),
);

test.each([
  "a node with an address of each family",
  "a Service that would take both families",
  "a replica of DNS that no node takes",
  "a snapshot that is no database, whatever its checksum says",
])("%s: only its proof fails", (name) => onlyItsProofFails(name, clusterFaults(cluster)[name]));

test.each(["a pod of the proof that is not ready", "a node whose kubelet hangs"])(
  "%s: only the gate that waits for it fails",
  (name) => onlyItsProofFails(name, readinessFaults(cluster, places)[name]),
);

test("after the last of them is mended, every proof holds", async () => {
  const looked = await cluster.bootstrap("--check");
  tellRun("all mended", looked);
  expect(shownErrors(looked)).toEqual([]);
  expect(looked.ended("would-change")).toEqual([]);
  expect(looked.ended("ok")).toContain("no IPv4 packet on w1");
  expect(looked.code).toBe(0);
});

test("a snapshot that was cut short is replaced by a whole one", async () => {
  await cluster.sh("cp1", "truncate -s 20000 /var/backups/etcd/etcd-*.db");
  const looked = await cluster.bootstrap("--check");
  expect(looked.ended("would-change")).toEqual(["etcd snapshot on cp1"]);
  expect(looked.code).toBe(3);
  const mended = await cluster.bootstrap();
  tellRun("snapshot replaced", mended);
  expect(mended.ended("changed")).toEqual(["etcd snapshot on cp1"]);
  expect(mended.ended("ok")).toContain("the snapshot is whole on cp1");
  expect(mended.code).toBe(0);
});

const manifests: Record<string, ClusterObject[]> = {
  "the cluster DNS's": clusterDnsObjects({ replicas: 2, version: "v1.36.3" }),
  "the network proof's": proofWorkload("registry.k8s.io/e2e-test-images/agnhost:2.63.0"),
  "flannel's": flannelObjects({
    image: "ghcr.io/flannel-io/flannel:v0.26.7",
    pods: "2001:db8:2::/56",
  }),
};

test.each(Object.entries(manifests))("the API server takes all of %s manifests", async (_, all) => {
  const list = (items: ClusterObject[]) =>
    JSON.stringify({ apiVersion: "v1", kind: "List", items });
  const apply = ["apply", "--server-side", "--force-conflicts", "--field-manager=run-playbook"];
  // A dry run puts nothing into a namespace that is not there.
  const spaces = all.filter(({ kind }) => kind === "Namespace");
  if (spaces.length > 0) await cluster.kubectlWith(list(spaces), ...apply, "-f", "-");
  const judged = ["--dry-run=server", "--validate=strict", "-o", "name", "-f", "-"];
  const taken = await cluster.kubectlWith(list(all), ...apply, ...judged);
  expect(taken.split("\n")).toHaveLength(all.length);
});
