/** What kubeadm and the API server ask of a cluster's addresses, told before any connection. */
import type { z } from "zod";
import {
  bitsOf,
  contains,
  familyOf,
  type Ip,
  networkOf,
  overlap,
  parseCidr,
  parseIp,
  scopeOf,
} from "#engine/net/ip.ts";

interface Addresses {
  readonly advertiseAddress: string;
  readonly podSubnet: string;
  readonly serviceSubnet: string;
  readonly podMask?: number | undefined;
  readonly clusterDns: string;
}

/** A node's share of the pod prefix: what is wanted, else Kubernetes' own choice for the family. */
export const podMaskOf = ({ podMask, podSubnet }: Pick<Addresses, "podMask" | "podSubnet">) =>
  podMask ?? (familyOf(podSubnet) === "IPv4" ? 24 : 64);

/** For params that describe a whole cluster. */
export function checkAddresses(want: Addresses, context: z.RefinementCtx): void {
  for (const [key, message] of faultsOf(want))
    context.addIssue({ code: "custom", path: [key], message });
}

function* faultsOf(want: Addresses): Generator<[keyof Addresses, string]> {
  const pods = parseCidr(want.podSubnet);
  const services = parseCidr(want.serviceSubnet);
  const dns = parseIp(want.clusterDns);
  const own = parseIp(want.advertiseAddress);
  // Refused one by one already.
  if (pods === undefined || services === undefined || dns === undefined || own === undefined)
    return;
  const families = { podSubnet: pods, serviceSubnet: services, clusterDns: dns };
  for (const key of ["podSubnet", "serviceSubnet", "clusterDns"] as const)
    if (families[key].family !== own.family) {
      yield [key, `expected ${own.family}, as advertiseAddress is: a cluster has one family here`];
      return;
    }
  for (const [key, block] of [
    ["podSubnet", pods],
    ["serviceSubnet", services],
  ] as const) {
    if (!isRouted(block)) yield [key, "expected a unicast prefix that hosts can route"];
    if (contains(block, own))
      yield [key, "holds advertiseAddress: traffic would go to the wrong one"];
  }
  if (overlap(pods, services)) yield ["serviceSubnet", "overlaps podSubnet"];
  const bits = bitsOf(pods.family);
  const mask = podMaskOf(want);
  if (mask <= 0 || mask > bits || mask < pods.length || mask - pods.length > 16)
    yield [
      "podMask",
      `expected ${pods.length} to ${Math.min(bits, pods.length + 16)}, as podSubnet is a /${pods.length}`,
    ];
  const room = bits - services.length;
  if (room > 20)
    yield ["serviceSubnet", `is wider than /${bits - 20}, the widest that kubeadm takes`];
  if (room < 4) yield ["serviceSubnet", "is too small: kube-dns has its tenth address"];
  else if (dns.value !== networkOf(services) + 10n)
    yield [
      "clusterDns",
      "expected the tenth address of serviceSubnet; other servers go into kubelet.clusterDNS",
    ];
}

const isRouted = (ip: Ip & { length: number }) => ip.length > 0 && scopeOf(ip) === "unicast";
