/** Objects of the cluster, kept as their manifests say. */
import { z } from "zod";
import { type Change, defineModule, PlaybookError, run, Secret, withStdin } from "#engine/index.ts";
import { kubectl } from "../kubectl.ts";
import { State } from "../params.ts";
import {
  asList,
  ClusterObject,
  type Differing,
  differing,
  nameOf,
  present,
  serverSide,
} from "./live-objects.ts";

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

  async read(host, want): Promise<Differing> {
    if (want.state === "present") return differing(host, want.objects);
    return { found: await present(host, want.objects), missing: [], live: [] };
  },

  *diff(now, want) {
    if (now.found.length === 0) return;
    const what = now.found.join(", ");
    if (want.state === "present") {
      const apply = kubectl("apply", ...serverSide, "-f", "-");
      const say = `${what}: not as in the manifest → applied`;
      yield run(withStdin(apply, asList(want.objects)), say, { timeout: "3m" });
      return;
    }
    // kubectl deletes no object whose kind the cluster does not know (any more), and fails on it.
    yield deletion(want.objects.filter((object) => now.found.includes(nameOf(object))));
  },

  *undo(before, now, want) {
    const names = before.found.join(", ");
    if (want.state === "absent" && before.found.length > 0)
      throw new PlaybookError("PB_UNDO_LOST", [names, "what the cluster made of it goes with it"]);
    const live = before.live.map(nameOf);
    if (live.some((name) => !before.found.includes(name)))
      throw new PlaybookError("PB_UNDO_LOST", [
        live.join(", "),
        "whether it differs is told only once its namespace is there",
      ]);
    const made = want.objects.filter((object) => {
      const name = nameOf(object);
      return before.missing.includes(name) && !now.missing.includes(name);
    });
    if (made.length > 0) yield deletion(made.toReversed());
    // What differs from its manifest again is not as we left it.
    const changed = before.live.filter((object) => !now.found.includes(nameOf(object)));
    if (changed.length === 0) return;
    const say = `${changed.map(nameOf).join(", ")}: as in the manifest → as it was`;
    const back = asList(changed.map(ofSecrets));
    yield run(withStdin(kubectl("replace", "-f", "-"), back), say, { timeout: "3m" });
  },
});

/** An object as it was: what a Secret of the cluster holds is one here too, so that nobody shows what kubectl repeats. */
function ofSecrets(object: ClusterObject): ClusterObject {
  const { kind, data } = object;
  if (kind !== "Secret" || typeof data !== "object" || data === null) return object;
  const values = Object.entries(data).map(([key, value]) => [key, new Secret(String(value))]);
  return { ...object, data: Object.fromEntries(values) };
}

function deletion(objects: readonly ClusterObject[]): Change {
  const how = ["--ignore-not-found", "--wait=true", "--timeout=120s"];
  const say = `${objects.map(nameOf).join(", ")}: present → deleted`;
  return run(withStdin(kubectl("delete", ...how, "-f", "-"), asList(objects)), say, {
    timeout: "3m",
  });
}
