/** Objects of the cluster, kept as their manifests say. */
import { z } from "zod";
import { defineModule, run, withStdin } from "#engine/index.ts";
import { kubectl } from "../kubectl.ts";
import { State } from "../params.ts";
import { asList, ClusterObject, differing, nameOf, present, serverSide } from "./live-objects.ts";

export const kubernetesObject = defineModule({
  name: "kubernetes-object",
  summary: "Keep objects in the cluster as their manifests say, by server-side apply.",
  example: `use.kubernetesObject({
  objects: [{ apiVersion: "v1", kind: "Namespace", metadata: { name: "team" } }],
})`,
  params: z.strictObject({
    objects: z
      .array(ClusterObject)
      .min(1)
      .describe("Manifests, in the order in which they are made; on a control plane."),
    state: State,
  }),

  async read(host, want) {
    const found =
      want.state === "present"
        ? await differing(host, want.objects)
        : await present(host, want.objects);
    return { found };
  },

  *diff(now, want) {
    if (now.found.length === 0) return;
    const what = now.found.join(", ");
    const keep = want.state === "present";
    const verb = keep
      ? ["apply", ...serverSide]
      : ["delete", "--ignore-not-found", "--wait=true", "--timeout=120s"];
    // kubectl deletes no object whose kind the cluster does not know (any more), and fails on it.
    const objects = keep
      ? want.objects
      : want.objects.filter((object) => now.found.includes(nameOf(object)));
    yield run(
      withStdin(kubectl(...verb, "-f", "-"), asList(objects)),
      keep ? `${what}: not as in the manifest → applied` : `${what}: present → deleted`,
      { timeout: "3m" },
    );
  },
});
