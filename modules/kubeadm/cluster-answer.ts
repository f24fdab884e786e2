import { type Host, PlaybookError, script } from "#engine/index.ts";

/** What a cluster says when a host asks it with a kubeconfig of its own. */
export type ClusterAnswer =
  | { readonly kind: "silent"; readonly why: string }
  /** It answers, but does not know these credentials. */
  | { readonly kind: "refused"; readonly why: string }
  | { readonly kind: "unknown-node" }
  | {
      readonly kind: "node";
      /** The kubelet's, with its v. */
      readonly version: string;
      /** Its InternalIP addresses. */
      readonly addresses: readonly string[];
    };

// A kubelet registers its node some moments after its start: until it had them, a node that is not there is not gone.
// Forbidden is no refusal: an API server that was just started forbids everything until it has read its rules.
const ASK = `# cluster-answer
left=$4
just_started() {
  since=$(systemctl show -p ActiveEnterTimestampMonotonic --value kubelet) || return
  read -r up rest </proc/uptime
  [ "$((\${up%.*} - \${since:-0} / 1000000))" -lt 60 ]
}
while :; do
  set -- "$1" "$2" "$3"
  if [ -n "$3" ]; then
    ready=$(kubectl --kubeconfig "$1" --server "$3" --request-timeout=5s get --raw /readyz 2>&1)
  else
    ready=ok
  fi
  if [ "$ready" = ok ]; then
    node=$(kubectl --kubeconfig "$1" --request-timeout=5s get node "$2" -o \\
      'jsonpath={.status.nodeInfo.kubeletVersion} {.status.addresses[?(@.type=="InternalIP")].address}' 2>&1) &&
      { echo "node $node"; exit 0; }
    ready=$node
  fi
  case $ready in
    *NotFound*) just_started || { echo unknown-node; exit 0; } ;;
    *Unauthorized* | *"must be logged in"* | *x509*) break ;;
  esac
  [ "$left" -gt 0 ] || break
  left=$((left - 2))
  sleep 2
done
printf '%s\\n' "$ready" | tail -n 1`;

const LOOK_SECONDS = 20;

interface Question {
  readonly kubeconfig: string;
  readonly node: string;
  /** This server's /readyz must be ok too: a control plane's own. */
  readonly ready?: string | undefined;
  readonly waitSeconds: number;
}

/** Asks until the cluster answers or the wait is over: static pods take their time after a boot. */
export async function askCluster(host: Host, question: Question): Promise<ClusterAnswer> {
  let answer: ClusterAnswer = { kind: "silent", why: "not asked" };
  for (let left = question.waitSeconds; ; left -= LOOK_SECONDS) {
    const { kubeconfig, node, ready = "" } = question;
    const seconds = Math.max(0, Math.min(left, LOOK_SECONDS));
    answer = parse(await host.text(script(ASK, kubeconfig, node, ready, seconds)));
    if (answer.kind !== "silent" || left <= LOOK_SECONDS) return answer;
  }
}

function parse(printed: string): ClusterAnswer {
  if (printed.startsWith("node ")) {
    const [, version = "", ...addresses] = printed.trim().split(/ +/);
    return { kind: "node", version, addresses };
  }
  if (printed === "unknown-node") return { kind: "unknown-node" };
  const refused = /Unauthorized|must be logged in|x509/.test(printed);
  return { kind: refused ? "refused" : "silent", why: printed || "no answer" };
}

// The name counts for nothing, but kubectl would ask for one on the terminal.
const ANYBODY = `# endpoint-answer
kubectl --kubeconfig /dev/null --server "$1" --insecure-skip-tls-verify --username nobody \\
  --request-timeout=3s get --raw /readyz 2>&1 | tail -n 1`;

/** Whether any API server answers there, whoever's: no credentials are sent. */
export async function anyApiAt(host: Host, url: string): Promise<boolean> {
  const { stdout } = await host.run(script(ANYBODY, url));
  return /^ok$|Unauthorized|Forbidden|forbidden|must be logged in|check failed/.test(stdout.trim());
}

/** Refuses to touch a host whose files belong to a cluster that is not the wanted one. */
export async function refuseForeign(
  host: Host,
  found: { readonly kubeconfig: string; readonly server: string | undefined },
): Promise<never> {
  const { kubeconfig, server = "an unknown endpoint" } = found;
  const answer = await askCluster(host, { kubeconfig, node: host.name, waitSeconds: 10 });
  if (answer.kind === "silent")
    throw new PlaybookError("PB_CLUSTER_DOWN", [host.name, `${server}: ${answer.why}`]);
  throw new PlaybookError("PB_FOREIGN_CLUSTER", [host.name, `its API is at ${server}`]);
}
