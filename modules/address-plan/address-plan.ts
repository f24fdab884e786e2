import { contains, type Family, lastOf, networkOf, overlap } from "#engine/net/ip.ts";
import { nthAddress, type Prefix, parseAddress, parsePrefix, refuse } from "./prefix.ts";

/** What an operator decides: four prefixes and who has which address. */
export interface AddressPlanInput {
  /** The prefix of the hosts' own network. */
  readonly nodes: string;
  /** Each node gets one block of `podMask` out of it. */
  readonly pods: string;
  readonly services: string;
  /** The API's address, inside `nodes`, on no host. */
  readonly virtualIp: string;
  /** A node's share of `pods`; 64 (IPv4: 24) unless given. */
  readonly podMask?: number | undefined;
  /** Each host's own address, by name. */
  readonly hosts: Readonly<Record<string, string>>;
}

/** A plan that kubeadm and the API server accept, with what follows from it. Addresses are in canonical form. */
export interface AddressPlan {
  readonly family: Family;
  readonly nodes: string;
  readonly pods: string;
  readonly services: string;
  readonly virtualIp: string;
  readonly podMask: number;
  readonly hosts: Readonly<Record<string, string>>;
  /** The tenth Service address, which kubeadm gives to kube-dns. */
  readonly clusterDns: string;
  /** The first Service address: the Service `kubernetes`. */
  readonly apiServerServiceIp: string;
  /** How many nodes the pod prefix has room for. */
  readonly maxNodes: number;
}

/**
 * Checks a plan against the limits of kubeadm and the API server, before any connection.
 * @throws PB_ADDRESS_PLAN with the reason and a value that would do
 */
export function defineAddressPlan(input: AddressPlanInput): AddressPlan {
  const nodes = parsePrefix(input.nodes, "the node prefix");
  const pods = parsePrefix(input.pods, "the pod prefix");
  const services = parsePrefix(input.services, "the Service prefix");
  const virtualIp = parseAddress(input.virtualIp, "the virtual IP");
  sameFamily([nodes, pods, services, virtualIp]);
  const podMask = input.podMask ?? (pods.family === "IPv6" ? 64 : 24);
  checkPodMask(pods, podMask);
  checkServices(services);
  apart(nodes, pods, services);
  const hosts = checkHosts(input.hosts, nodes, virtualIp);
  const maxNodes = 2 ** (podMask - pods.length);
  const count = Object.keys(hosts).length;
  if (count > maxNodes)
    throw refuse(
      `the pod prefix ${pods.text}`,
      `has room for ${maxNodes} nodes of /${podMask}, but there are ${count} hosts`,
      `a /${podMask - Math.ceil(Math.log2(count))} or wider`,
    );
  return {
    family: nodes.family,
    nodes: nodes.text,
    pods: pods.text,
    services: services.text,
    virtualIp: virtualIp.text,
    podMask,
    hosts,
    clusterDns: nthAddress(services, 10),
    apiServerServiceIp: nthAddress(services, 1),
    maxNodes,
  };
}

const named = ["nodes", "pods", "Services", "the virtual IP"];

// The API server does not start when the family of its Services differs from that of its own address.
function sameFamily(parts: readonly Prefix[]): void {
  const [first] = parts;
  parts.forEach((part, index) => {
    if (part.family !== first?.family)
      throw refuse(
        `${named[index]} (${part.text})`,
        `is ${part.family} while the nodes are ${first?.family}: the API server does not start on two families`,
        `an ${first?.family} prefix`,
      );
  });
}

// kube-controller-manager cuts at most 2^16 blocks out of the pod prefix.
function checkPodMask(pods: Prefix, podMask: number): void {
  const room = podMask - pods.length;
  if (!Number.isInteger(podMask) || podMask > pods.bits || room < 0)
    throw refuse(
      `a node's share /${podMask}`,
      `does not fit into the pod prefix ${pods.text}`,
      `podMask ${Math.min(pods.length + 8, pods.bits - 4)}`,
    );
  if (room > 16)
    throw refuse(
      `the pod prefix ${pods.text}`,
      `is ${room} bits wider than a node's /${podMask}: the controller manager manages 16 at most`,
      `a /${podMask - 16} for pods, or podMask ${pods.length + 16}`,
    );
}

// kubeadm: at most 20 bits; the allocator before 1.33 used 16 of them.
function checkServices(services: Prefix): void {
  const { bits, length: mask, text } = services;
  if (bits - mask > 20)
    throw refuse(
      `the Service prefix ${text}`,
      `is wider than /${bits - 20}, the widest that kubeadm takes`,
      `/${bits - 16}, for example ${text.replace(/\/\d+$/, `/${bits - 16}`)}`,
    );
  if (2 ** (bits - mask) < 11)
    throw refuse(
      `the Service prefix ${text}`,
      "is too small: kube-dns has its tenth address",
      `/${bits - 16}`,
    );
}

function apart(nodes: Prefix, pods: Prefix, services: Prefix): void {
  const pairs: [string, Prefix, string, Prefix][] = [
    ["the pod prefix", pods, "the Service prefix", services],
    ["the pod prefix", pods, "the node prefix", nodes],
    ["the Service prefix", services, "the node prefix", nodes],
  ];
  for (const [what, a, other, b] of pairs)
    if (overlap(a, b))
      throw refuse(
        `${what} ${a.text}`,
        `overlaps ${other} ${b.text}: traffic would go to the wrong one`,
        "prefixes that share no address",
      );
}

function checkHosts(
  given: AddressPlanInput["hosts"],
  nodes: Prefix,
  virtualIp: Prefix,
): Record<string, string> {
  if (!contains(nodes, virtualIp))
    throw refuse(
      `the virtual IP ${virtualIp.text}`,
      `is outside the node prefix ${nodes.text}: no neighbour would find it`,
      `an unused address such as ${nthAddress(nodes, 256)}`,
    );
  refuseEdges(nodes, virtualIp, `the virtual IP ${virtualIp.text}`);
  const owners = new Map<string, string>([[virtualIp.text, "the virtual IP"]]);
  const hosts = Object.entries(given).map(([name, text]): [string, string] => {
    const address = parseAddress(text, `the address of ${name},`);
    if (!contains(nodes, address))
      throw refuse(
        `${address.text} of ${name}`,
        `is outside the node prefix ${nodes.text}`,
        "an address of that prefix, or a wider prefix",
      );
    refuseEdges(nodes, address, `${address.text} of ${name}`);
    const owner = owners.get(address.text);
    if (owner !== undefined)
      throw refuse(
        `${address.text} of ${name}`,
        `is also ${owner === "the virtual IP" ? owner : `that of ${owner}`}`,
        "an address of its own for each",
      );
    owners.set(address.text, name);
    return [name, address.text];
  });
  return Object.fromEntries(hosts);
}

// The first address of a prefix means every router on it, or the network; the last one of IPv4 means all hosts.
function refuseEdges(nodes: Prefix, { value }: Prefix, shown: string): void {
  if (nodes.bits - nodes.length < 2) return;
  if (value === networkOf(nodes))
    throw refuse(shown, "is the address of the network itself", nthAddress(nodes, 1));
  if (nodes.family === "IPv4" && value === lastOf(nodes))
    throw refuse(shown, "is the network's broadcast address", nthAddress(nodes, 1));
}
