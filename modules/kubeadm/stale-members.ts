/** What hosts that are in no cluster (any more) left behind in it. */
import { z } from "zod";
import { defineModule, type Host, PlaybookError, run } from "#engine/index.ts";
import { sameIp } from "#engine/net/ip.ts";
import { HostAddress } from "../address.ts";
import { NodeName } from "../cluster-params.ts";
import { type EtcdMember, etcdctl, parseMembers } from "../etcdctl.ts";
import { askKubectl, kubectl, lastLine } from "../kubectl.ts";

export const kubeadmStaleMembers = defineModule({
  name: "kubeadm-stale-members",
  summary:
    "Take hosts that are not joined out of etcd and of the node list, so that they can join.",
  lasting: "a member that was removed can only join anew",
  example: `use.kubeadmStaleMembers({ notJoined: [{ name: "cp2", address: "2001:db8:1::12" }] })`,
  params: z.strictObject({
    notJoined: z
      .array(z.strictObject({ name: NodeName, address: HostAddress }))
      .describe("Hosts of which it is known that they are not members now."),
  }),

  async read(host, want) {
    if (want.notJoined.length === 0) return { members: [], nodes: [] };
    const names = want.notJoined.map(({ name }) => name);
    const [members, nodes] = await Promise.all([readMembers(host), readNodeNames(host, names)]);
    // A member that never started has no name yet.
    const isStale = (member: EtcdMember) =>
      want.notJoined.some(
        ({ name, address }) =>
          member.name === name || member.peerUrls.some((url) => isAt(url, address)),
      );
    return { members: members.filter(isStale), nodes };
  },

  *diff(now) {
    for (const { id, name, peerUrls } of now.members)
      yield run(
        etcdctl("member", "remove", id),
        `etcd member ${name || peerUrls.join(", ")}: stale → removed`,
      );
    for (const node of now.nodes)
      yield run(kubectl("delete", "node", node), `node ${node}: stale → removed`);
  },
});

// A URL keeps the address as whoever began the member wrote it.
function isAt(url: string, address: string): boolean {
  if (!URL.canParse(url)) return false;
  const { hostname } = new URL(url);
  return sameIp(hostname.replace(/^\[|\]$/g, ""), address);
}

async function readMembers(host: Host): Promise<EtcdMember[]> {
  const { code, stdout, stderr } = await host.run(etcdctl("member", "list"));
  if (code !== 0) throw new PlaybookError("PB_CLUSTER_READ", ["etcd's members", lastLine(stderr)]);
  return parseMembers(stdout);
}

async function readNodeNames(host: Host, names: readonly string[]): Promise<string[]> {
  const get = kubectl("get", "nodes", "--ignore-not-found", "-o", "name", ...names);
  const { code, stdout, stderr } = await askKubectl(host, get);
  if (code !== 0) throw new PlaybookError("PB_CLUSTER_READ", ["The nodes", lastLine(stderr)]);
  return stdout
    .split("\n")
    .filter(Boolean)
    .map((line) => line.replace("node/", ""));
}
