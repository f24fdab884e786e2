/** What a standing cluster is not as wanted, by the names of the params. */
import { X509Certificate } from "node:crypto";
import { parse } from "yaml";
import { z } from "zod";
import { type Host, PlaybookError, script } from "#engine/index.ts";
import { canonicalCidr, canonicalIp, familyOf, parseIp } from "#engine/net/ip.ts";
import { answerOf, invalid, jsonOf } from "../answer.ts";
import { podMaskOf } from "./config/address-rules.ts";
import type { InitConfig } from "./config/schema.ts";
import { adminConf } from "./paths.ts";
import { goDuration, sameField } from "./same-field.ts";

type Want = Omit<InitConfig, "nodeName">;

/** A param whose value the cluster does not have. */
interface Difference {
  readonly param: string;
  readonly live: string;
  readonly wanted: string;
}

// As the kubelet and the API server have them on this host, and as kubeadm keeps them for the whole cluster.
const READ = `# kubeadm-config
kubectl --kubeconfig "$1" --request-timeout=10s -n kube-system get configmap kubeadm-config kubelet-config kube-proxy \\
  --ignore-not-found -o json || exit
cd /etc/kubernetes || exit
for file in pki/apiserver.crt manifests/kube-apiserver.yaml manifests/kube-controller-manager.yaml; do
  echo "=== $file"
  cat "$file" || exit
done`;

/** Refuses what kubeadm init was told of a cluster and the cluster does not have. @throws PB_CLUSTER_DIFFERS */
export async function refuseOtherCluster(host: Host, want: Want): Promise<void> {
  const printed = await host.text(script(READ, adminConf));
  const [maps = "", certificate = "", server = "", controllers = ""] = printed.split(/^=== .*\n/m);
  const found = [
    ...ofConfig(readMaps(maps), want),
    ...ofCertificate(certificate, want),
    ...ofFlags(flagsOf(server), flagsOf(controllers), want),
  ];
  if (found.length === 0) return;
  const told = found.map(({ param, live, wanted }) => `${param} is ${live}, not ${wanted}`);
  throw new PlaybookError("PB_CLUSTER_DIFFERS", [host.name, told]);
}

const Maps = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string() }),
      data: z.record(z.string(), z.string()).default({}),
    }),
  ),
});
const Fields = z.record(z.string(), z.unknown());
const ClusterConfiguration = z.object({
  kubernetesVersion: z.string(),
  controlPlaneEndpoint: z.string().default(""),
  imageRepository: z.string().default("registry.k8s.io"),
  networking: z.object({
    podSubnet: z.string().default(""),
    serviceSubnet: z.string().default(""),
    dnsDomain: z.string().default("cluster.local"),
  }),
});

interface Config {
  readonly cluster: z.output<typeof ClusterConfiguration>;
  readonly kubelet: Readonly<Record<string, unknown>>;
  /** Undefined where the cluster has no kube-proxy. */
  readonly proxy: Readonly<Record<string, unknown>> | undefined;
}

function readMaps(printed: string): Config {
  const { items } = jsonOf("kube-system's configuration", Maps, printed);
  const text = (map: string, key: string) =>
    items.find(({ metadata }) => metadata.name === map)?.data[key];
  const proxy = text("kube-proxy", "config.conf");
  const cluster = text("kubeadm-config", "ClusterConfiguration");
  const kubelet = text("kubelet-config", "kubelet");
  return {
    cluster: answerOf("ConfigMap kubeadm-config", ClusterConfiguration, yamlOf(cluster)),
    kubelet: answerOf("ConfigMap kubelet-config", Fields, yamlOf(kubelet)),
    proxy: proxy === undefined ? undefined : answerOf("kube-proxy", Fields, yamlOf(proxy)),
  };
}

/** One of kubeadm's has 4 KiB. */
const LONGEST = 128 * 1024;

function yamlOf(text: string | undefined): unknown {
  try {
    return text === undefined || text.length > LONGEST ? undefined : parse(text);
  } catch {
    return undefined;
  }
}

function* ofConfig({ cluster, kubelet, proxy }: Config, want: Want): Iterable<Difference> {
  const { networking } = cluster;
  const { name, port } = want.endpoint;
  const networks = (text: string) => text.split(",").map(canonicalCidr).join(",");
  yield* differs("version", cluster.kubernetesVersion, want.version);
  yield* differs("endpoint", cluster.controlPlaneEndpoint, `${name}:${port}`);
  yield* differs("podSubnet", networks(networking.podSubnet), want.podSubnet);
  yield* differs("serviceSubnet", networks(networking.serviceSubnet), want.serviceSubnet);
  yield* differs("dnsDomain", networking.dnsDomain, want.dnsDomain);
  yield* differs(
    "imageRepository",
    cluster.imageRepository,
    want.imageRepository ?? "registry.k8s.io",
  );
  const servers = [kubelet["clusterDNS"]].flat().map((each) => canonicalIp(String(each)));
  if (want.kubelet["clusterDNS"] === undefined)
    yield* differs("clusterDns", servers.join(","), want.clusterDns);
  const { nodeGraceSeconds: grace } = want;
  const lease = grace === undefined ? {} : { nodeLeaseDurationSeconds: grace };
  yield* ofFields("kubelet", kubelet, { ...lease, ...want.kubelet });
  yield* ofFields("kubeProxy", proxy ?? {}, want.kubeProxy);
}

function* ofFields(
  param: string,
  live: Readonly<Record<string, unknown>>,
  wanted: Readonly<Record<string, unknown>>,
): Iterable<Difference> {
  const shown = (value: unknown) => (value === undefined ? "not set" : JSON.stringify(value));
  for (const [field, value] of Object.entries(wanted))
    if (!sameField(value, live[field]))
      yield { param: `${param}.${field}`, live: shown(live[field]), wanted: shown(value) };
}

function* differs(param: string, live: string, wanted: string): Iterable<Difference> {
  if (live !== wanted) yield { param, live: live || "not set", wanted };
}

/** kubeadm adds names of its own, so only what is missing counts. */
function* ofCertificate(pem: string, { certSANs }: Want): Iterable<Difference> {
  const certificate = certificateOf(pem);
  const has = (name: string) =>
    parseIp(name) === undefined
      ? certificate.checkHost(name, { subject: "never" }) !== undefined
      : certificate.checkIP(name) !== undefined;
  const missing = certSANs.filter((name) => !has(name));
  if (missing.length > 0)
    yield { param: "certSANs", live: `without ${missing.join(", ")}`, wanted: certSANs.join(", ") };
}

function certificateOf(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw invalid("the API server's certificate", "it is no certificate");
  }
}

const Pod = z.object({
  spec: z.object({ containers: z.array(z.object({ command: z.array(z.string()) })).min(1) }),
});

/** The flags of a static pod, by name. */
function flagsOf(text: string): ReadonlyMap<string, string> {
  const { spec } = answerOf("a static pod of the control plane", Pod, yamlOf(text));
  const flags = spec.containers.flatMap(({ command }) => command);
  return new Map(
    flags.flatMap((flag) => {
      const [, name, value] = /^--([^=]+)=(.*)$/s.exec(flag) ?? [];
      return name === undefined || value === undefined ? [] : [[name, value] as const];
    }),
  );
}

function* ofFlags(
  server: ReadonlyMap<string, string>,
  controllers: ReadonlyMap<string, string>,
  want: Want,
): Iterable<Difference> {
  const advertised = canonicalIp(server.get("advertise-address") ?? "");
  yield* differs("advertiseAddress", advertised, want.advertiseAddress);
  const mask =
    familyOf(want.podSubnet) === "IPv6"
      ? (controllers.get("node-cidr-mask-size-ipv6") ?? "64")
      : (controllers.get("node-cidr-mask-size-ipv4") ??
        controllers.get("node-cidr-mask-size") ??
        "24");
  yield* differs("podMask", mask, String(podMaskOf(want)));
  // Not said, it is for a cluster that is begun.
  if (want.nodeGraceSeconds === undefined) return;
  // What is not set there is as Kubernetes has it: 50 s, 40 s before 1.32.
  const grace = controllers.get("node-monitor-grace-period") ?? "";
  if (goDuration(grace) !== want.nodeGraceSeconds * 1000)
    yield {
      param: "nodeGraceSeconds",
      live: grace || "not set",
      wanted: `${want.nodeGraceSeconds}s`,
    };
}
