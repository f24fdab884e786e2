/** Objects of the cluster, kept as their manifests say. */
import { z } from "zod";
import {
  type Command,
  defineModule,
  type Host,
  PlaybookError,
  run,
  withStdin,
} from "#engine/index.ts";
import { kubectl, lastLine } from "../kubectl.ts";
import { State } from "../params.ts";

const Manifest = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});
const Params = z.strictObject({
  objects: z.array(Manifest).min(1).describe("Manifests, in the order in which they are made."),
  state: State,
});
type Want = z.output<typeof Params>;

const serverSide = ["--server-side", "--force-conflicts", "--field-manager=run-playbook"];

export const kubernetesObject = defineModule({
  name: "kubernetes-object",
  summary: "Keep objects in the cluster as their manifests say, by server-side apply.",
  example: `use.kubernetesObject({
  objects: [{ apiVersion: "v1", kind: "Namespace", metadata: { name: "team" } }],
})`,
  params: Params,

  async read(host, want) {
    return {
      differing:
        want.state === "present" ? await readDiffering(host, want) : await readPresent(host, want),
    };
  },

  *diff(now, want) {
    if (now.differing.length === 0) return;
    const what = now.differing.join(", ");
    if (want.state === "present")
      yield run(given(want, "apply", ...serverSide), `${what}: not as in the manifest → applied`);
    else
      yield run(
        given(want, "delete", "--ignore-not-found", "--wait=true", "--timeout=120s"),
        `${what}: present → deleted`,
      );
  },
});

/** A kubectl command that reads the manifests from its standard input. */
const given = ({ objects }: Want, ...args: string[]): Command =>
  withStdin(
    kubectl(...args, "-f", "-"),
    JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }),
  );

// The API server itself merges and defaults, so nothing differs once it was applied; exit 1 says that something does.
async function readDiffering(host: Host, want: Want): Promise<string[]> {
  const { code, stdout, stderr } = await host.run(given(want, "diff", ...serverSide));
  if (code === 0) return [];
  const absent = /namespaces "([^"]+)" not found/.exec(stderr)?.[1];
  if (absent !== undefined) return [`namespace ${absent} and what is in it`];
  if (code !== 1 || stdout === "")
    throw new PlaybookError("PB_CLUSTER_READ", [named(want).join(", "), lastLine(stderr)]);
  // "diff -u -N /tmp/LIVE-1/apps.v1.DaemonSet.proof.agnhost /tmp/MERGED-1/…"
  const files = Array.from(
    stdout.matchAll(/^diff .*\/MERGED-[^/]+\/(\S+)$/gm),
    ([, name = ""]) => name,
  );
  return files.length > 0 ? files.map(shortName) : named(want);
}

const shortName = (file: string) => file.replace(/^(?:[\w.-]+\.)?v\d\w*\./, "");
const named = ({ objects }: Want) =>
  objects.map(({ kind, metadata }) =>
    [kind, metadata.namespace, metadata.name].filter(Boolean).join("."),
  );

async function readPresent(host: Host, want: Want): Promise<string[]> {
  const asked = await host.run(given(want, "get", "--ignore-not-found", "-o", "name"));
  // A kind whose definition is gone has no objects either.
  if (asked.code !== 0 && !/no matches for kind|not found/.test(asked.stderr))
    throw new PlaybookError("PB_CLUSTER_READ", [named(want).join(", "), lastLine(asked.stderr)]);
  return asked.stdout.split("\n").filter(Boolean);
}
