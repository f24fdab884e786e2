/** The version of the cluster that a host is in, before its programs are replaced by those of another one. */
import { z } from "zod";
import { type Host, PlaybookError, script } from "#engine/index.ts";
import { jsonOf } from "../answer.ts";
import { kubeletConf } from "../kubeadm/paths.ts";

// The cluster's own word, asked with the node's credentials; where no API answers, that of the kubelet that is there.
const READ = `# standing-version
[ -e "$1" ] || exit 0
if said=$(kubectl --kubeconfig "$1" --request-timeout=10s get --raw /version 2>/dev/null); then
  printf 'cluster\\n%s\\n' "$said"
elif said=$(kubelet --version 2>/dev/null); then
  printf 'kubelet\\n%s\\n' "$said"
fi`;

/** A program that is gone or broken may be put back at any time; another version is `kubeadm upgrade`'s. */
export async function refuseOtherVersion(host: Host, wanted: string): Promise<void> {
  const printed = await host.text(script(READ, kubeletConf));
  const end = printed.indexOf("\n");
  const [who, said] = [printed.slice(0, end), printed.slice(end + 1)];
  if (end < 0) return;
  const live = who === "cluster" ? ofCluster(said) : said.trim().replace(/^Kubernetes /, "");
  if (live === wanted) return;
  const what = who === "cluster" ? "version" : "the kubelet's version";
  throw new PlaybookError("PB_CLUSTER_DIFFERS", [
    host.name,
    [`${what} is ${JSON.stringify(live.slice(0, 40))}, not ${wanted}`],
  ]);
}

const Version = z.object({ gitVersion: z.string() });
const ofCluster = (said: string): string =>
  jsonOf("What the API says of its version", Version, said).gitVersion;
