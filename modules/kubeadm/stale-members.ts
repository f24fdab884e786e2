/** What hosts that are in no cluster (any more) left behind in it. */
import { z } from "zod";
import { defineModule, type Host, PlaybookError, run, script, sh } from "#engine/index.ts";
import { adminConf } from "./paths.ts";

export const kubeadmStaleMembers = defineModule({
  name: "kubeadm-stale-members",
  summary:
    "Take hosts that are not joined out of etcd and of the node list, so that they can join.",
  example: `use.kubeadmStaleMembers({ notJoined: [{ name: "cp2", address: "2001:db8:1::12" }] })`,
  params: z.strictObject({
    notJoined: z
      .array(z.strictObject({ name: z.string(), address: z.string() }))
      .describe("Hosts of which it is known that they are not members now."),
  }),

  async read(host, want) {
    if (want.notJoined.length === 0) return { members: [], nodes: [] };
    const [members, nodes] = await Promise.all([
      readMembers(host),
      readNodes(
        host,
        want.notJoined.map(({ name }) => name),
      ),
    ]);
    const stale = members.filter(({ name, peerURLs }) =>
      want.notJoined.some(
        (absent) =>
          name === absent.name ||
          // A member that never started has no name yet.
          peerURLs.some((url) => url.includes(`[${absent.address}]`)),
      ),
    );
    return { members: stale, nodes };
  },

  *diff(now) {
    for (const { id, name, peerURLs } of now.members)
      yield run(
        script(ETCDCTL, "member", "remove", id),
        `etcd member ${name || peerURLs.join(", ")}: stale → removed`,
      );
    for (const node of now.nodes)
      yield run(
        sh`kubectl --kubeconfig ${adminConf} delete node ${node}`,
        `node ${node}: stale → removed`,
      );
  },
});

/** etcdctl with kubeadm's client certificate, on a control plane. */
export const ETCDCTL = `# etcdctl
pki=/etc/kubernetes/pki/etcd
exec etcdctl --endpoints 'https://[::1]:2379' --cacert $pki/ca.crt \\
  --cert $pki/healthcheck-client.crt --key $pki/healthcheck-client.key --command-timeout 20s "$@"`;

// IDs have 64 bits: more than JSON numbers keep, so they are taken from the text form.
async function readMembers(host: Host) {
  const { code, stdout, stderr } = await host.run(script(ETCDCTL, "member", "list"));
  if (code !== 0) throw new PlaybookError("PB_CLUSTER_READ", ["etcd's members", stderr.trim()]);
  return stdout
    .split("\n")
    .filter(Boolean)
    .map((line) => {
      const [id = "", , name = "", peers = ""] = line.split(", ");
      return { id, name, peerURLs: peers.split(",") };
    });
}

async function readNodes(host: Host, names: readonly string[]): Promise<string[]> {
  const get = sh`kubectl --kubeconfig ${adminConf} --request-timeout=20s get nodes --ignore-not-found -o name`;
  const { code, stdout, stderr } = await host.run({ ...get, argv: [...get.argv, ...names] });
  if (code !== 0) throw new PlaybookError("PB_CLUSTER_READ", ["The nodes", stderr.trim()]);
  return stdout
    .split("\n")
    .filter(Boolean)
    .map((line) => line.replace("node/", ""));
}
