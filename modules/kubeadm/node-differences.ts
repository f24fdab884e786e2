/** What a node that is in its cluster is not as wanted, by the names of the params. */
import { type Host, PlaybookError } from "#engine/index.ts";
import { sameIp } from "#engine/net/ip.ts";
import type { ClusterAnswer } from "./cluster-answer.ts";
import type { HostState } from "./host-state.ts";

interface Want {
  readonly version: string;
  readonly advertiseAddress: string;
  readonly criSocket: string;
  readonly endpoint: { readonly name: string; readonly port: number };
}

interface Found {
  readonly state: HostState;
  readonly answer: ClusterAnswer;
}

/** kubeadm takes a path for a socket, and /var/run is /run. */
const socket = (text: string) => text.replace(/^unix:\/\//, "").replace(/^\/var\/run\//, "/run/");

/** Refuses what kubeadm was told of the host and the node does not have. @throws PB_CLUSTER_DIFFERS */
export function refuseOtherNode(host: Host, want: Want, { state, answer }: Found): void {
  const { name, port } = want.endpoint;
  const server = `https://${name}:${port}`;
  const found = [
    ...(state.server === server ? [] : [`endpoint is ${state.server}, not ${server}`]),
    ...(state.criSocket === undefined || socket(state.criSocket) === socket(want.criSocket)
      ? []
      : [`criSocket is ${state.criSocket}, not ${want.criSocket}`]),
    ...(answer.kind === "node" ? ofNode(answer, want) : []),
  ];
  if (found.length > 0) throw new PlaybookError("PB_CLUSTER_DIFFERS", [host.name, found]);
}

/** Before anything waits for an API server at an address that it never had. @throws PB_CLUSTER_DIFFERS */
export function refuseOtherAddress(
  host: Host,
  { advertiseAddress: wanted }: Want,
  { advertised }: HostState,
): void {
  if (advertised === undefined || sameIp(advertised, wanted)) return;
  const found = [`advertiseAddress is ${advertised}, not ${wanted}`];
  throw new PlaybookError("PB_CLUSTER_DIFFERS", [host.name, found]);
}

function ofNode(
  { version, addresses }: ClusterAnswer & { kind: "node" },
  want: Want,
): readonly string[] {
  const isThere = addresses.some((own) => sameIp(own, want.advertiseAddress));
  return [
    ...(version === want.version ? [] : [`version is ${version}, not ${want.version}`]),
    ...(isThere
      ? []
      : [`advertiseAddress is ${addresses.join(", ")}, not ${want.advertiseAddress}`]),
  ];
}
