/** kubeadm itself reads every configuration that the modules write for it. No host is needed for that. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { prepareArtifacts } from "#lab/artifacts/artifacts.ts";
import { labVersions } from "#lab/versions.ts";
import { uploadConfig } from "#modules/kubeadm/config/upload-config.ts";
import { certificateKey, initDocument, joinDocument } from "../support/kubeadm-documents.ts";

/** Nothing cached, 2 cores: the longest that all builds were seen to take, and as much again. */
const COLD_MS = 40 * 60_000;
const arch = process.arch === "arm64" ? "arm64" : "amd64";
const { kubernetes } = labVersions;

let kubeadm = "";

beforeAll(async () => {
  const { signal } = new AbortController();
  const { mirrorDir } = await prepareArtifacts({ versions: labVersions, report: () => {}, signal });
  kubeadm = join(mirrorDir, "dl.k8s.io/release", kubernetes, "bin/linux", arch, "kubeadm");
}, COLD_MS);

// As the host appends it, to the last document.
const withKey = (config: string) => `${config}certificateKey: "${certificateKey.reveal()}"\n`;

const [, minor = ""] = kubernetes.split(".");
const before = `v1.${Number(minor) - 1}.0`;
/** In the form of that version, but for the cluster of today: kubeadm refuses clusters that are too old for it. */
const inFormOf = (version: string) => initDocument(version).replace(version, kubernetes);
const upload = { version: kubernetes, advertiseAddress: "2001:db8:1::11" };
const ipv4 = {
  advertiseAddress: "192.0.2.11",
  podSubnet: "198.51.100.0/24",
  podMask: 28,
  serviceSubnet: "203.0.113.0/24",
  clusterDns: "203.0.113.10",
};

const documents: [string, string][] = [
  ["init", initDocument(kubernetes)],
  ["init for the minor before its own", initDocument(before)],
  ["init of before 1.31, which it still reads", inFormOf("v1.30.14")],
  ["init for IPv4", initDocument(kubernetes, ipv4)],
  ["init on another port", initDocument(kubernetes, { endpoint: { name: "api", port: 8443 } })],
  ["init with overrides", initDocument(kubernetes, { kubelet: { failCgroupV1: false } })],
  [
    "init with kube-proxy's iptables",
    initDocument(kubernetes, { kubeProxy: { mode: "iptables" } }),
  ],
  [
    "init from a private registry",
    initDocument(kubernetes, { imageRepository: "r.example.net/k" }),
  ],
  ["init with a certificate key", withKey(initDocument(kubernetes))],
  ["an upload of certificates", withKey(uploadConfig(upload))],
  ["worker join", joinDocument(kubernetes).reveal()],
  ["control plane join", joinDocument(kubernetes, { certificateKey }).reveal()],
  ["control plane join for 1.31", joinDocument("v1.31.0", { certificateKey }).reveal()],
  [
    "join of before 1.31, which it still reads",
    joinDocument("v1.30.14", { certificateKey }).reveal(),
  ],
];

// Through a pipe, as the modules do it: what Node gives a child is a socket, which cannot be opened as /dev/stdin.
const judge = 'cat | "$1" config validate --config /dev/stdin';
const validate = (input: string) =>
  execFileSync("sh", ["-c", judge, "sh", kubeadm], {
    input,
    encoding: "utf8",
    stdio: "pipe",
    timeout: 60_000,
  });

test.each(documents)("kubeadm accepts %s", (_name, config) => {
  expect(validate(config)).toContain("ok");
});

test("kubeadm would say what it does not know", () => {
  const wrong = initDocument(kubernetes).replace("nodeRegistration:", "nodeRegistrations:");
  expect(() => validate(wrong)).toThrow(/unknown field "nodeRegistrations"/);
});
