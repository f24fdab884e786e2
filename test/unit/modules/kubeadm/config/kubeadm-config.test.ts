import { execFileSync } from "node:child_process";
import { existsSync, globSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { Secret } from "#engine/index.ts";
import { initConfig } from "#modules/kubeadm/config/init-config.ts";
import { type JoinConfig, joinConfig } from "#modules/kubeadm/config/join-config.ts";
import type { InitConfig } from "#modules/kubeadm/config/schema.ts";

const node = {
  nodeName: "cp1",
  advertiseAddress: "2001:db8:1::11",
  criSocket: "unix:///run/containerd/containerd.sock",
  ignorePreflightErrors: ["Mem"],
};

const init = (version: string, change: Partial<InitConfig> = {}): string =>
  initConfig({
    ...node,
    version,
    endpoint: { name: "api.example.net", port: 6443 },
    podSubnet: "2001:db8:2::/56",
    serviceSubnet: "2001:db8:3::/112",
    podMask: 64,
    clusterDns: "2001:db8:3::a",
    certSANs: ["api.example.net", "2001:db8:1::100"],
    dnsDomain: "cluster.local",
    kubelet: {},
    kubeProxy: {},
    ...change,
  });

const join_ = (version: string, change: Partial<JoinConfig> = {}): string =>
  joinConfig({
    ...node,
    version,
    endpoint: { name: "api.example.net", port: 6443 },
    caCertHash: `sha256:${"0".repeat(64)}`,
    token: new Secret("abcdef.0123456789abcdef"),
    ...change,
  }).reveal();

const certificateKey = new Secret("0123456789abcdef".repeat(4));

describe("as rendered", () => {
  test.each(["v1.30.14", "v1.31.0", "v1.36.3"])("init, %s", async (version) => {
    await expect(init(version)).toMatchFileSnapshot(`./snapshots/init-${version}.yaml`);
  });
  test.each(["v1.30.14", "v1.31.0", "v1.36.3"])("control plane join, %s", async (version) => {
    const rendered = join_(version, { certificateKey });
    await expect(rendered).toMatchFileSnapshot(`./snapshots/join-${version}.yaml`);
  });
});

test("a worker's join knows no certificate key", () => {
  expect(parseAllDocuments(join_("v1.36.3"))[0]?.toJS()).not.toHaveProperty("controlPlane");
});

test("a join configuration cannot be printed", () => {
  expect(
    `${joinConfig({ ...node, version: "v1.36.3", endpoint: { name: "a", port: 1 }, caCertHash: "x", token: new Secret("abcdef.0123456789abcdef") })}`,
  ).toBe("[secret]");
});

test("what the operator gives for kubelet and kube-proxy wins", () => {
  const rendered = init("v1.36.3", {
    kubelet: { cgroupDriver: "cgroupfs" },
    kubeProxy: { mode: "iptables" },
  });
  expect(rendered).toContain("cgroupDriver: cgroupfs");
  expect(rendered).toContain("mode: iptables");
});

/** kubeadm of the artifact cache, or of the folder that an environment variable names. */
const kubeadm = [
  process.env["RUN_PLAYBOOK_KUBEADM"] ?? "",
  ...globSync(join(homedir(), ".cache/run-playbook/artifacts/**/kubeadm")),
].find((path) => path !== "" && existsSync(path));

// Through a pipe, as the modules do it: what Node gives a child is a socket, which cannot be opened as /dev/stdin.
const judge = 'cat | "$1" config validate --config /dev/stdin';

describe.runIf(kubeadm !== undefined)("kubeadm's own judge", () => {
  const documents: [string, string][] = [
    ["init", init("v1.36.3")],
    ["init with overrides", init("v1.36.3", { kubelet: { failCgroupV1: false } })],
    ["init for the minor before its own", init("v1.35.0")],
    ["init of before 1.31, which it still reads", init("v1.30.14").replace("v1.30.14", "v1.36.3")],
    ["init for a private repository", init("v1.36.3", { imageRepository: "registry.example.net" })],
    [
      "init with a certificate key",
      `${init("v1.36.3")}certificateKey: "${certificateKey.reveal()}"\n`,
    ],
    ["worker join", join_("v1.36.3")],
    ["control plane join", join_("v1.36.3", { certificateKey })],
    ["join of before 1.31, which it still reads", join_("v1.30.14", { certificateKey })],
    ["control plane join for 1.31", join_("v1.31.0", { certificateKey })],
  ];
  test.each(documents)("accepts %s", (_name, config) => {
    const printed = execFileSync("sh", ["-c", judge, "sh", kubeadm ?? ""], {
      input: config,
      encoding: "utf8",
    });
    expect(printed).toContain("ok");
  });
});
