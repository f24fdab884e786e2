import { afterAll, beforeAll, expect, test } from "vitest";
import type { LabView } from "#lab/view.ts";
import { cli, type Played } from "../support/cli.ts";
import { type Edit, LabCluster, shownErrors, tellRun } from "../support/lab-cluster.ts";

// What can be wrong with hosts and inventory of a cluster. Each test goes on where the one before it ended: what was
// refused is mended, and the next run finishes the job.
const cluster = new LabCluster("cfault");
let view: LabView;

beforeAll(async () => {
  view = await cluster.up("cp1", "cp2", "w1");
});

afterAll(() => cluster[Symbol.asyncDispose]());

// Which hosts the cluster is to have; the others are in no group yet.
const nodes = (controlPlane: string[], workers: string[]): Edit[] => [
  ['controlPlane: ["cp1","cp2"]', `controlPlane: ${JSON.stringify(controlPlane)}`],
  ['workers: ["w1"]', `workers: ${JSON.stringify(workers)}`],
];
const alone = nodes(["cp1"], []);
const withWorker = nodes(["cp1"], ["w1"]);
const unproved = ["--param", "proof=false"];

test("an image that the mirror does not have: its name and the mirror's are said, and no cluster is begun", async () => {
  const wrong: Edit = [
    '"quirks": {',
    '"proofImage": "registry.k8s.io/e2e-test-images/agnhost:0.0.0",\n    "quirks": {',
  ];
  const failed = await cluster.bootstrapWith([...alone, wrong]);
  tellRun("image missing", failed);
  expect(failed.ended("failed")).toEqual(["images on cp1"]);
  const [error = ""] = shownErrors(failed);
  expect(error).toContain("registry.k8s.io/e2e-test-images/agnhost:0.0.0");
  expect(error).toContain(`from http://[${view.serviceAddress}]:5000`);
  expect(failed.code).toBe(1);
  expect(await untouched("cp1")).toBe(true);
});

test("port 6443 is taken: who has it is said, nothing is begun, and once it is free the run finishes", async () => {
  await cluster.listen("cp1", "[::]:6443");
  const failed = await cluster.bootstrapWith(alone, ...unproved);
  tellRun("port 6443 taken", failed);
  expect(failed.ended("failed")).toEqual(["first control plane on cp1"]);
  expect(shownErrors(failed).join()).toMatch(
    /^PB_PORT_TAKEN on cp1: Port 6443 on cp1 is taken by systemd-socket\S* \(pid \d+\)\.$/,
  );
  expect(failed.code).toBe(1);
  expect(await untouched("cp1")).toBe(true);

  await cluster.unlisten("cp1");
  await finishes("port 6443 free", alone, ...unproved);
});

test("an invitation that expired before its host could join is followed by a fresh one", async () => {
  await cluster.listen("w1", "[::]:10250");
  const failed = await cluster.bootstrapWith(withWorker, ...unproved);
  tellRun("port 10250 taken", failed);
  expect(failed.ended("failed")).toEqual(["workers on w1"]);
  expect(shownErrors(failed).join()).toContain("PB_PORT_TAKEN on w1: Port 10250 on w1 is taken by");
  expect(await untouched("w1")).toBe(true);
  const expired = await invitations();
  expect(expired).toHaveLength(1);
  const past = JSON.stringify({ stringData: { expiration: "2001-01-01T00:00:00Z" } });
  await cluster.kubectl("-n", "kube-system", "patch", "secret", ...expired, "-p", past);

  await cluster.unlisten("w1");
  const joined = await finishes("token expired", withWorker, ...unproved);
  expect(joined.ended("changed")).toEqual(
    expect.arrayContaining(["invitation on cp1", "workers on w1"]),
  );
  expect(await invitations()).not.toEqual(expect.arrayContaining(expired));
});

test("a worker of another cluster is refused and left as it is; taken out of it, it joins", async () => {
  await reset(alone);
  const kubelet = await cluster.on("w1", "sha256sum", "/etc/kubernetes/kubelet.conf");
  const failed = await cluster.bootstrapWith(withWorker, ...unproved);
  tellRun("another cluster's worker", failed);
  expect(failed.ended("failed")).toEqual(["membership on w1"]);
  expect(shownErrors(failed).join()).toContain(
    "PB_FOREIGN_CLUSTER on w1: w1 is in another cluster: its API is at https://api.cfault:6443",
  );
  expect(failed.code).toBe(1);
  expect(await cluster.on("w1", "sha256sum", "/etc/kubernetes/kubelet.conf")).toBe(kubelet);

  await reset(withWorker, "--limit", "w1");
  const joined = await finishes("taken out of the other", withWorker, ...unproved);
  expect(joined.ended("changed")).toContain("workers on w1");
});

test("a control plane loses power while it joins: the run ends in time, and the next one finishes the job", async () => {
  const running = cluster.bootstrap(...unproved);
  await expect.poll(() => etcdMembers(), { timeout: 240_000, interval: 100 }).toHaveLength(2);
  await cluster.lab.kill("cp2");
  const killed = performance.now();
  const failed = await running;
  tellRun(`cp2 killed, ended ${Math.round((performance.now() - killed) / 1000)} s later`, failed);
  expect(failed.code).toBe(1);
  expect(performance.now() - killed).toBeLessThan(120_000);
  expect(shownErrors(failed)).toEqual([expect.stringMatching(/^PB_CONNECTION_LOST on cp2: .*cp2/)]);

  await cluster.lab.start("cp2");
  const joined = await finishes("cp2 is back");
  expect(joined.ended("changed")).toEqual(
    expect.arrayContaining(["stale members on cp1", "further control planes on cp2"]),
  );
  const members = await etcdMembers();
  expect(members.map((line) => line.split(", ")[2]).sort()).toEqual(["cp1", "cp2"]);
  expect(members.filter((line) => !/, started, .*, false$/.test(line))).toEqual([]);
});

test("params that a standing cluster has otherwise are refused by name, and nothing is changed", async () => {
  const other: Edit[] = [
    [`"pods": "${view.podPrefixes[0]}"`, '"pods": "fd00:77::/56"'],
    ['"imageGCHighThresholdPercent": 100', '"imageGCHighThresholdPercent": 90'],
  ];
  const before = await cluster.on("cp1", "sha256sum", ...madeByKubeadm);
  const failed = await cluster.bootstrapWith(other, ...unproved, ...only("first control plane"));
  tellRun("another prefix, another kubelet", failed);
  expect(failed.ended("failed")).toEqual(["first control plane on cp1"]);
  const [error = ""] = shownErrors(failed);
  expect(error).toMatch(/^PB_CLUSTER_DIFFERS on cp1: .*podSubnet is \S+, not fd00:77::\/56/);
  expect(error).toContain("kubelet.imageGCHighThresholdPercent is 100, not 90");
  expect(failed.code).toBe(1);
  expect(await cluster.on("cp1", "sha256sum", ...madeByKubeadm)).toBe(before);
});

const only = (step: string) => ["--only", step];

const madeByKubeadm = [
  "/etc/kubernetes/pki/apiserver.crt",
  "/etc/kubernetes/manifests/kube-controller-manager.yaml",
  "/var/lib/kubelet/config.yaml",
];

async function finishes(
  what: string,
  edits: readonly Edit[] = [],
  ...args: string[]
): Promise<Played> {
  const mended = await cluster.bootstrapWith(edits, ...args);
  tellRun(what, mended);
  expect(shownErrors(mended)).toEqual([]);
  expect(mended.code).toBe(0);
  return mended;
}

async function reset(edits: readonly Edit[], ...args: string[]): Promise<void> {
  const file = await cluster.inventory(edits);
  const done = await cli(["reset.ts", "--inventory", file, "--yes", ...args]);
  expect(`${done.code} ${done.stderr}`).toMatch(/^0 /);
}

/** Whether kubeadm has left nothing on a host, not even the mark that it began. */
const untouched = async (host: string): Promise<boolean> => {
  const left = "/etc/kubernetes/* /var/lib/etcd/* /var/lib/run-playbook/kubeadm.pending";
  return (await cluster.sh(host, `ls -d ${left} 2>/dev/null || :`)) === "";
};

/** The tokens that we minted; kubeadm init makes one of its own. */
const invitations = async (): Promise<string[]> => {
  const ours = Buffer.from("run-playbook join").toString("base64");
  const each = `{range .items[?(@.data.description=="${ours}")]}{.metadata.name}{"\\n"}{end}`;
  const named = await cluster.kubectl(
    "-n",
    "kube-system",
    "get",
    "secrets",
    "-o",
    `jsonpath=${each}`,
  );
  return named.split("\n").filter(Boolean);
};

const pki = "/etc/kubernetes/pki/etcd";
async function etcdMembers(): Promise<string[]> {
  const said = await cluster.on(
    "cp1",
    "etcdctl",
    "--endpoints=https://[::1]:2379",
    `--cacert=${pki}/ca.crt`,
    `--cert=${pki}/healthcheck-client.crt`,
    `--key=${pki}/healthcheck-client.key`,
    "member",
    "list",
  );
  return said.split("\n");
}
