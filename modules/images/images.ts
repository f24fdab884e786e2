/** Container images that are there before anything waits for them. */
import { z } from "zod";
import { defineModule, run, script, sh } from "#engine/index.ts";
import { ImageRef } from "../cluster-params.ts";
import { Line } from "../params.ts";

const Params = z.strictObject({
  refs: z.array(ImageRef.min(1)).describe("Full names, with registry and tag."),
  mirrors: z.array(Line).default([]).describe("Only for messages: where the runtime looks first."),
});

export const images = defineModule({
  name: "images",
  summary: "Keep container images on a host, pulled before anything waits for them.",
  example: `use.images({ refs: ["registry.k8s.io/pause:3.10.2"] })`,
  params: Params,

  async read(host, want) {
    const { stdout } = await host.run(sh`ctr --namespace k8s.io images ls -q`);
    const present = stdout.split("\n");
    return { missing: want.refs.filter((ref) => !present.includes(ref)) };
  },

  *diff(now, want) {
    const from = want.mirrors.join(", ") || "its registry";
    for (const ref of now.missing)
      yield run(script(PULL, ref, from), `image ${ref}: absent → pulled`, { timeout: "5m" });
  },

  *undo(before, now) {
    for (const ref of before.missing.filter((pulled) => !now.missing.includes(pulled)))
      yield run(sh`ctr --namespace k8s.io images rm ${ref}`, `image ${ref}: pulled → absent`);
  },
});

// ctr with the runtime's own hosts.toml files, so that what works here works for the kubelet.
const PULL = `# image-pull
said=$(timeout 280 ctr --namespace k8s.io images pull --hosts-dir /etc/containerd/certs.d "$1" 2>&1) && exit 0
printf '%s\\n' "$said" | grep -v DEPRECATION | tail -n 3 >&2
printf 'the image %s cannot be pulled from %s\\n' "$1" "$2" >&2
exit 1`;
