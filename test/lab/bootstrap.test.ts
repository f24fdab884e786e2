import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { openLab } from "#lab/lab.ts";
import * as use from "#modules/index.ts";
import { cutPower } from "../support/availability.ts";
import { type Played, play } from "../support/cli.ts";
import { ClusterAccess } from "../support/cluster.ts";
import { ensureOn } from "../support/lab-play.ts";
import { ProcessWatch } from "../support/process-watch.ts";

// One cluster, walked through its life: each test goes on where the one before it ended.
const name = "accept";
const lab = openLab(name);
const folder = mkdtempSync(join(tmpdir(), "run-playbook-accept-"));
const kubeconfig = join(folder, "kubeconfig");
const bootstrap = (...args: string[]): Promise<Played> =>
  play(["bootstrap.ts", "--lab", name, "--yes", "--param", `kubeconfig=${kubeconfig}`, ...args]);

const token = /\b[a-z0-9]{6}\.[a-z0-9]{16}\b/;
// Container ids look like certificate keys: only kubeadm has those. A CA's hash, sha256:…, is public.
const certificateKey = /(?:kubeadm\0[\s\S]*|certificate-?key\W+)(?<!sha256:)\b[0-9a-f]{64}\b/i;
const figures = (what: string, { ms, peakMiB, recap, errors }: Played) =>
  process.stderr.write(
    `# ${what}: ${(ms / 1000).toFixed(1)} s, peak ${Math.round(peakMiB)} MiB, ` +
      `${recap.changed} changed, ${recap.ok} ok, ${recap.failed} failed, exit ${recap.exitCode}\n${errors.join("\n")}`,
  );

const on = async (host: string, ...argv: [string, ...string[]]): Promise<string> =>
  (await lab.exec(host, argv)).stdout.trim();

let first: Played;

beforeAll(async () => {
  await lab.down();
  await lab.up({ yes: true });
  using watch = new ProcessWatch([token, certificateKey]);
  first = await bootstrap();
  figures("bare hosts to proved cluster", first);
  expect(watch.looks).toBeGreaterThan(10);
  // Containers' ids have the form of a certificate key: what counts is whether a real secret was among what was seen.
  const secrets = await secretsOf("cp1");
  expect(secrets.length).toBeGreaterThan(1);
  const shown = [...watch.seen].filter((seen) => secrets.some((secret) => seen.includes(secret)));
  expect(shown).toEqual([]);
});

afterAll(async () => {
  await lab.down();
  rmSync(folder, { recursive: true });
});

test("bare hosts become a proved cluster", () => {
  expect(first.ended("failed")).toEqual([]);
  expect(first.code).toBe(0);
  expect(first.ended("ok")).toContain("no IPv4 packet on w1");
});

test("the engine stays under 200 MiB", () => {
  expect(first.peakMiB).toBeGreaterThan(20);
  expect(first.peakMiB).toBeLessThan(200);
});

test("no secret shows in any output, and the kubeconfig is for its owner alone", () => {
  const access = new ClusterAccess(kubeconfig);
  for (const text of [first.stdout, first.stderr]) {
    expect(text).not.toMatch(token);
    expect(text).not.toContain(access.keyData);
  }
  expect(statSync(kubeconfig).mode & 0o777).toBe(0o600);
});

test("a second run changes nothing", async () => {
  const again = await bootstrap();
  figures("again", again);
  expect(again.ended("changed")).toEqual([]);
  expect(again.code).toBe(0);
});

test("a certSAN, another podSubnet or version says ok on a standing cluster: each param is refused by its name", async () => {
  const config = await on(
    "cp1",
    "sh",
    "-c",
    `export KUBECONFIG=/etc/kubernetes/admin.conf
    kubectl -n kube-system get configmap kubeadm-config -o 'jsonpath={.data.ClusterConfiguration}'`,
  );
  const { kubernetesVersion, networking } = z
    .looseObject({
      kubernetesVersion: z.string(),
      networking: z.object({ podSubnet: z.string(), serviceSubnet: z.string() }),
    })
    .parse(parse(config));
  const view = await lab.view();
  const advertiseAddress = view.hosts.find((host) => host.name === "cp1")?.address ?? "";
  const { podSubnet, serviceSubnet } = networking;
  const base: Parameters<typeof use.kubeadmInit>[0] = {
    version: kubernetesVersion,
    advertiseAddress: advertiseAddress.toUpperCase(),
    endpoint: { name: `api.${name}` },
    podSubnet: podSubnet.replace("::", ":0::"),
    serviceSubnet: serviceSubnet.toUpperCase(),
    clusterDns: serviceSubnet.replace(/::\/.*/, ":0:0:0:A"),
    criSocket: "/var/run/containerd/containerd.sock",
  };
  const others: Partial<typeof base> = {
    version: "v1.36.2",
    podSubnet: podSubnet.replace("/56", "/60"),
    serviceSubnet: serviceSubnet.replace("/112", "/108"),
    podMask: 66,
    certSANs: [`api.${name}`, "other.example.net"],
    dnsDomain: "other.local",
    imageRepository: "registry.example.net",
    nodeGraceSeconds: 20,
    kubelet: { syncFrequency: "10s" },
    kubeProxy: { mode: "iptables" },
    criSocket: "unix:///run/crio/crio.sock",
  };
  const check = async (params: typeof base) =>
    (await ensureOn(view, "cp1", use.kubeadmInit(params), { mode: "check" })).errors;
  expect(await check(base)).toEqual([]);
  for (const [param, value] of Object.entries(others)) {
    const [error] = await check({ ...base, startWithin: 4, [param]: value });
    expect(error, param).toMatchObject({ code: "PB_CLUSTER_DIFFERS" });
    expect(error?.message).toContain(` ${param}`);
  }
});

test("drift on three hosts: --check shows just that and touches nothing, the next run repairs just that", async () => {
  await on("cp2", "rm", "/etc/sysctl.d/90-cluster.conf");
  await on("w1", "sh", "-c", "rm /etc/cni/net.d/*.conflist");
  await on("cp3", "systemctl", "stop", "kubelet");

  const drifted = ["forwarding on cp2", "kubelet on cp3", "pod network on w1"];
  const check = await bootstrap("--check");
  figures("check after drift", check);
  expect(check.ended("would-change").sort()).toEqual(drifted);
  expect(check.ended("failed")).toEqual([]);
  expect(check.code).toBe(3);
  expect(await on("cp2", "ls", "/etc/sysctl.d")).not.toContain("90-cluster.conf");
  expect(await on("w1", "ls", "/etc/cni/net.d")).not.toContain("conflist");
  expect(await on("cp3", "systemctl", "is-active", "kubelet")).toBe("inactive");

  const repaired = await bootstrap();
  figures("repair", repaired);
  expect(repaired.ended("changed").sort()).toEqual(drifted);
  expect(repaired.code).toBe(0);
});

test("a fifth host joins; elsewhere only what names it changes, and nothing is restarted", async () => {
  const started = () => startTimes(["cp1", "cp2", "cp3", "w1"]);
  const before = await started();
  await lab.up({ hosts: ["cp1", "cp2", "cp3", "w1", "w2"], yes: true });
  const grown = await bootstrap();
  figures("fifth host", grown);
  expect(grown.ended("failed")).toEqual([]);
  expect(grown.code).toBe(0);
  const elsewhere = grown.ended("changed").filter((node) => !node.endsWith(" on w2"));
  const steps = new Set(elsewhere.map((node) => node.replace(/ on [^ ]+$/, "")));
  // One more replica of DNS, for there is one on each node.
  const naming = [
    "names of all nodes",
    "pod network",
    "invitation",
    "proof targets",
    "cluster DNS",
  ];
  expect([...steps].filter((step) => !naming.includes(step))).toEqual([]);
  expect(await started()).toEqual(before);
});

test.each(["cp1", "cp2", "cp3", "w1", "w2"])(
  "%s loses power, leading etcd if it can: lookups fail for 25 s at most, reads at the virtual IP for 2 s",
  async (host) => {
    const access = new ClusterAccess(kubeconfig);
    if (host.startsWith("cp")) await lead(host);
    const held = (await virtualIpHolder()) === host ? ", which held the virtual IP" : "";
    const seen = await cutPower(lab, access, host);
    const dns = Object.entries(seen.dns).map(([node, seconds]) => `${node} ${seconds.toFixed(1)}`);
    process.stderr.write(
      `# ${host} cut${held}: reads failed for ${seen.api.toFixed(1)} s, lookups on ${dns.join(", ")} s (${seen.tries} tries)\n`,
    );
    expect(seen.api).toBeLessThanOrEqual(2);
    expect(Math.max(...Object.values(seen.dns))).toBeLessThanOrEqual(25);

    await lab.start(host);
    const healed = await bootstrap();
    figures(`after the power cut of ${host}`, healed);
    expect(healed.code).toBe(0);
    expect(healed.ended("changed"), "what a reboot lost").toEqual([]);
  },
);

async function secretsOf(host: string): Promise<string[]> {
  const uploaded = await on(host, "cat", "/run/run-playbook-kubeadm/certificate-key");
  const tokens = await on(host, "kubeadm", "token", "list", "--output", "json");
  return [uploaded.split(" ").at(-1) ?? "", ...(tokens.match(new RegExp(token, "g")) ?? [])];
}

async function startTimes(hosts: readonly string[]): Promise<string[]> {
  const units = ["kubelet", "containerd", "keepalived"];
  const show = (host: string) =>
    on(host, "systemctl", "show", "-p", "ExecMainStartTimestampMonotonic", ...units);
  const statics = (host: string) => on(host, "pgrep", "-x", "etcd|kube-apiserver");
  return Promise.all(
    hosts.map(async (host) => `${host} ${await show(host)} ${await statics(host)}`),
  );
}

async function virtualIpHolder(): Promise<string> {
  const { virtualIp } = await lab.view();
  for (const host of ["cp1", "cp2", "cp3"])
    if ((await on(host, "ip", "-6", "-br", "addr")).includes(`${virtualIp}/`)) return host;
  throw new Error("nobody holds the virtual IP");
}

const pki = "/etc/kubernetes/pki/etcd";
const etcdctl = (host: string, ...args: string[]) =>
  on(
    host,
    "etcdctl",
    "--endpoints=https://[::1]:2379",
    `--cacert=${pki}/ca.crt`,
    `--cert=${pki}/healthcheck-client.crt`,
    `--key=${pki}/healthcheck-client.key`,
    ...args,
  );

async function lead(host: string): Promise<void> {
  const members = await etcdctl(host, "member", "list");
  const id =
    members
      .split("\n")
      .find((line) => line.includes(`, ${host}, `))
      ?.split(",")[0] ?? "";
  const { hosts } = await lab.view();
  for (const { name: other } of hosts.filter(({ role }) => role === "controlPlane"))
    await etcdctl(other, "move-leader", id);
  expect(await etcdctl(host, "endpoint", "status", "-w", "fields")).toMatch(
    new RegExp(`"Leader" : ${BigInt(`0x${id}`)}`),
  );
}
