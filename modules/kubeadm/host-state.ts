import { createHash, X509Certificate } from "node:crypto";
import { type Host, PlaybookError, script } from "#engine/index.ts";
import { invalid } from "../answer.ts";
import { caCert, pendingMark } from "./paths.ts";

/** What kubeadm, or whoever, left on a host; nothing of it says yet that a cluster works. */
export interface HostState {
  readonly adminConf: boolean;
  readonly kubeletConf: boolean;
  /** All four static pods of a control plane. */
  readonly controlPlane: boolean;
  readonly etcdData: boolean;
  /** An init or join of ours began here and did not end well. */
  readonly pending: boolean;
  /** As kubeadm writes it: "sha256:…"; undefined where no CA is. */
  readonly caHash: string | undefined;
  /** The server of the kubeconfig on the host. */
  readonly server: string | undefined;
  /** The runtime's socket, as kubeadm told the kubelet of it; undefined where it did not. */
  readonly criSocket: string | undefined;
  /** The address that the host's API server tells others; undefined where there is no API server. */
  readonly advertised: string | undefined;
}

const STATE = `# kubeadm-state
cd /etc/kubernetes 2>/dev/null || cd /
has() { [ -e "$2" ] && echo "$1"; }
has admin.conf admin.conf
has kubelet.conf kubelet.conf
m=manifests
[ -e $m/etcd.yaml ] && [ -e $m/kube-apiserver.yaml ] && [ -e $m/kube-controller-manager.yaml ] &&
  [ -e $m/kube-scheduler.yaml ] && echo control-plane
has etcd-data /var/lib/etcd/member
has pending "$1"
# In a file of its own since 1.35, before that among the kubelet's flags.
sed -n 's/^containerRuntimeEndpoint: */runtime /p' /var/lib/kubelet/instance-config.yaml 2>/dev/null | tr -d '"'
sed -n 's/.*--container-runtime-endpoint=\\([^ "]*\\).*/runtime \\1/p' /var/lib/kubelet/kubeadm-flags.env 2>/dev/null
sed -n 's/.*--advertise-address=\\([0-9A-Fa-f.:]*\\).*/advertised \\1/p' $m/kube-apiserver.yaml 2>/dev/null
for file in admin.conf kubelet.conf; do
  [ -e "$file" ] && sed -n 's/^ *server: */server /p' "$file" && break
done
true`;

/** One round trip. A kubeadm that is still at work is waited for first: its result is what counts. */
export async function readHostState(host: Host): Promise<HostState> {
  await waitForKubeadm(host);
  const [printed, ca] = await Promise.all([
    host.text(script(STATE, pendingMark)),
    host.readFile(caCert),
  ]);
  const lines = printed.split("\n");
  return {
    adminConf: lines.includes("admin.conf"),
    kubeletConf: lines.includes("kubelet.conf"),
    controlPlane: lines.includes("control-plane"),
    etcdData: lines.includes("etcd-data"),
    pending: lines.includes("pending"),
    caHash: ca === undefined ? undefined : caHash(ca),
    server: saidOf(lines, "server"),
    criSocket: saidOf(lines, "runtime"),
    advertised: saidOf(lines, "advertised"),
  };
}

const saidOf = (lines: readonly string[], name: string): string | undefined =>
  lines.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1);

/** The pin of a CA: the hash of its public key, as in `kubeadm join --discovery-token-ca-cert-hash`. */
function caHash(pem: string): string {
  const key = certificate(pem).publicKey.export({ type: "spki", format: "der" });
  return `sha256:${createHash("sha256").update(key).digest("hex")}`;
}

function certificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw invalid(caCert, "it is no certificate");
  }
}

const BUSY = `# kubeadm-busy
left=$1
while :; do
  found=
  for comm in /proc/[0-9]*/comm; do
    read -r name <"$comm" || continue
    if [ "$name" = kubeadm ]; then
      found=$(tr '\\0' ' ' <"\${comm%comm}cmdline")
      break
    fi
  done 2>/dev/null
  [ -n "$found" ] && [ "$left" -gt 0 ] || break
  left=$((left - 1))
  sleep 1
done
echo "$found"`;

const LOOK_SECONDS = 20;
const LOOKS = 12;

async function waitForKubeadm(host: Host): Promise<void> {
  for (let look = 0; look < LOOKS; look++) {
    const command = await host.text(script(BUSY, LOOK_SECONDS));
    if (command === "") return;
    if (look === LOOKS - 1)
      throw new PlaybookError("PB_KUBEADM_BUSY", [host.name, command, LOOKS * LOOK_SECONDS]);
  }
}

const OWNER = `# port-owner
ss -Hltnp "sport = :$1"`;

/** Who listens on a port: "nc (pid 71)"; undefined where nobody does. */
export async function portOwner(host: Host, port: number): Promise<string | undefined> {
  const { code, stdout } = await host.run(script(OWNER, port));
  if (code !== 0 || stdout.trim() === "") return undefined;
  const [, name, pid] = /users:\(\("([^"]+)",pid=(\d+)/.exec(stdout) ?? [];
  return name === undefined
    ? "a program of the kernel or of another namespace"
    : `${name} (pid ${pid})`;
}
