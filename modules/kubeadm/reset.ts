/** A host without Kubernetes. */
import { z } from "zod";
import { defineModule, type Host, run, script } from "#engine/index.ts";
import { emptyFolder, filledFolders } from "../emptied-folder.ts";
import { kubeadmReset as reset } from "./commands.ts";
import { NodeParams } from "./config/schema.ts";
import { certificateKeyFile, pendingMark } from "./paths.ts";

export const kubeadmReset = defineModule({
  name: "kubeadm-reset",
  summary: "Take all that kubeadm, the kubelet and pods left off a host; its data is lost.",
  lasting: "what was on the host is deleted",
  example: "use.kubeadmReset({})",
  params: z.strictObject({ criSocket: NodeParams.criSocket }),

  read(host) {
    return readLeftovers(host);
  },

  *diff(now, want) {
    if (now.kubeadm && now.member) yield reset(want.criSocket, "a member of a cluster → reset");
    for (const path of now.folders) yield emptyFolder(path);
    for (const table of now.tables)
      yield run(script(DROP_TABLE, table), `nftables ${table}: present → deleted`);
    for (const device of now.devices)
      yield run(script(DROP_DEVICE, device), `device ${device}: present → deleted`);
  },
});

const DROP_TABLE = `# nft-drop-table
family=\${1%% *}
nft delete table "$family" "\${1#* }"`;

const DROP_DEVICE = `# link-drop
ip link delete "$1"`;

const FOLDERS = [
  "/etc/kubernetes",
  "/var/lib/kubelet",
  "/var/lib/etcd",
  "/etc/cni",
  "/var/lib/cni",
  "/run/flannel",
  certificateKeyFile,
  pendingMark,
];

const LEFTOVERS = `# kubernetes-leftovers
command -v kubeadm >/dev/null && echo kubeadm
for path in /etc/kubernetes/admin.conf /etc/kubernetes/kubelet.conf /etc/kubernetes/manifests/etcd.yaml \\
  /var/lib/kubelet/config.yaml /var/lib/run-playbook/kubeadm.pending; do
  [ -e "$path" ] && { echo member; break; }
done
nft list tables 2>/dev/null | sed -n 's/^table \\(ip6\\{0,1\\} kube-proxy\\)$/table \\1/p; s/^table \\(ip6\\{0,1\\} flannel-.*\\)$/table \\1/p'
ip -o link show 2>/dev/null | sed -n 's/^[0-9]*: \\(flannel[^:@]*\\|cni0\\)[:@].*/device \\1/p'
true`;

async function readLeftovers(host: Host) {
  const [printed, folders] = await Promise.all([
    host.text(script(LEFTOVERS)),
    filledFolders(host, FOLDERS),
  ]);
  const lines = printed.split("\n");
  const named = (kind: string) =>
    lines.filter((line) => line.startsWith(`${kind} `)).map((line) => line.slice(kind.length + 1));
  return {
    kubeadm: lines.includes("kubeadm"),
    member: lines.includes("member"),
    folders,
    tables: named("table"),
    devices: named("device"),
  };
}
