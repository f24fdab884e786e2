/** Container images that are there before anything waits for them. */
import { z } from "zod";
import { defineModule, type Host, PlaybookError, run, script, sh } from "#engine/index.ts";
import { KubernetesVersion } from "../kubeadm/config/schema.ts";

const Params = z.strictObject({
  refs: z.array(z.string()).default([]).describe("Full names, with registry and tag."),
  kubernetesVersion: KubernetesVersion.optional().describe(
    "Adds the images that kubeadm of this version names.",
  ),
  role: z
    .enum(["control-plane", "worker"])
    .default("control-plane")
    .describe("A worker runs kube-proxy, CoreDNS and pause only."),
  mirrors: z
    .array(z.string())
    .default([])
    .describe("Only for messages: where the runtime looks first."),
});

const workerImages = /\/(kube-proxy|coredns|pause):/;

export const images = defineModule({
  name: "images",
  summary: "Keep container images on a host, pulled before anything waits for them.",
  example: `use.images({ kubernetesVersion: "v1.36.3", role: "worker" })`,
  params: Params,

  async read(host, want) {
    const [present, wanted] = await Promise.all([
      host.run(sh`ctr --namespace k8s.io images ls -q`),
      want.kubernetesVersion === undefined ? [] : kubeadmImages(host, want.kubernetesVersion),
    ]);
    const pulled = wanted.filter((ref) => want.role === "control-plane" || workerImages.test(ref));
    return {
      missing: [...pulled, ...want.refs].filter((ref) => !present.stdout.split("\n").includes(ref)),
    };
  },

  *diff(now, want) {
    const from = want.mirrors.join(", ") || "its registry";
    for (const ref of now.missing)
      yield run(script(PULL, ref, from), `image ${ref}: absent → pulled`, { timeout: "5m" });
  },
});

// ctr with the runtime's own hosts.toml files, so that what works here works for the kubelet.
const PULL = `# image-pull
said=$(timeout 280 ctr --namespace k8s.io images pull --hosts-dir /etc/containerd/certs.d "$1" 2>&1) && exit 0
printf 'the image %s cannot be pulled from %s:\\n%s\\n' "$1" "$2" "$(printf '%s\\n' "$said" | tail -n 3)" >&2
exit 1`;

async function kubeadmImages(host: Host, version: string): Promise<string[]> {
  const list = sh`kubeadm config images list --kubernetes-version ${version}`;
  const { code, stdout, stderr } = await host.run(list);
  if (code !== 0)
    throw new PlaybookError("PB_TOOL_MISSING", ["kubeadm", stderr.trim() || "it printed nothing"]);
  return stdout.split("\n").filter(Boolean);
}
