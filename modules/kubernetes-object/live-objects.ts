import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { type Host, jsonText, PlaybookError, type Secret, withStdin } from "#engine/index.ts";
import { jsonOf } from "../answer.ts";
import { askKubectl, kubectl, lastLine } from "../kubectl.ts";
import { DnsName, Line } from "../params.ts";

/** A manifest, or an object as the API has it. */
export const ClusterObject = z.looseObject({
  apiVersion: z.string().regex(/^[\w./-]+$/, "expected an API version, as apps/v1"),
  kind: z.string().regex(/^\w+$/, "expected a kind, as Namespace"),
  metadata: z.looseObject({ name: Line.min(1), namespace: DnsName.optional() }),
});
export type ClusterObject = z.output<typeof ClusterObject>;

const List = z.object({ items: z.array(ClusterObject) });

/** "DaemonSet proof/agnhost" */
export const nameOf = ({ kind, metadata }: ClusterObject): string =>
  [kind, [metadata.namespace, metadata.name].filter(Boolean).join("/")].join(" ");

/** How this product applies: the API server merges, and remembers whose fields they are. */
export const serverSide = ["--server-side", "--force-conflicts", "--field-manager=run-playbook"];

/** The manifests as what kubectl reads with `-f -`; a secret where one is in them. */
export const asList = (objects: readonly ClusterObject[]): string | Secret =>
  jsonText({ apiVersion: "v1", kind: "List", items: objects });

/** What the cluster has of some manifests. */
export interface Differing {
  /** Names of objects that are not as their manifests say; in words where that cannot be told of each. */
  readonly found: readonly string[];
  /** Names of those that are not there. */
  readonly missing: readonly string[];
  /** Those that are there and differ, without what the API server writes by itself. */
  readonly live: readonly ClusterObject[];
}

/**
 * Those that are not in the cluster as their manifests say. The API server itself merges and defaults them, without
 * keeping the result, so nothing differs once it was applied. What controllers write meanwhile does not count.
 */
export async function differing(host: Host, objects: readonly ClusterObject[]): Promise<Differing> {
  const [live, dry] = await Promise.all([
    ask(host, objects, ["get", "--ignore-not-found"]),
    ask(host, objects, ["apply", "--dry-run=server", ...serverSide]),
  ]);
  if (live.error !== undefined) throw unreadable(objects, live.error);
  const there = (object: ClusterObject) => live.items.some((one) => isSame(object, one));
  const missing = objects.filter((object) => !there(object)).map(nameOf);
  if (dry.error !== undefined) {
    // The dry run cannot put anything into a namespace that is itself still to be made.
    const absent = /namespaces "([^"]+)" not found/.exec(dry.error)?.[1];
    if (absent === undefined) throw unreadable(objects, dry.error);
    const found = [`namespace ${absent} and what is in it`];
    return { found, missing, live: live.items.map(comparable) };
  }
  const is = new Map(live.items.map((object) => [nameOf(object), comparable(object)]));
  const found = dry.items
    .filter((object) => !isDeepStrictEqual(is.get(nameOf(object)), comparable(object)))
    .map(nameOf);
  return { found, missing, live: found.flatMap((name) => is.get(name) ?? []) };
}

/** Those that are there, whatever they look like. */
export async function present(host: Host, objects: readonly ClusterObject[]): Promise<string[]> {
  const live = await ask(host, objects, ["get", "--ignore-not-found"]);
  // A kind whose definition is gone has no objects either; the others are printed all the same.
  if (live.error !== undefined && !/no matches for kind/.test(live.error))
    throw unreadable(objects, live.error);
  return objects.filter((object) => live.items.some((one) => isSame(object, one))).map(nameOf);
}

// Where a manifest names no namespace, the API filled one in.
const isSame = (manifest: ClusterObject, live: ClusterObject): boolean =>
  nameOf(manifest) === nameOf(live) ||
  (manifest.metadata.namespace === undefined &&
    manifest.kind === live.kind &&
    manifest.metadata.name === live.metadata.name);

const unreadable = (objects: readonly ClusterObject[], why: string) =>
  new PlaybookError("PB_CLUSTER_READ", [objects.map(nameOf).join(", "), lastLine(why)]);

const isList = (answer: object): answer is z.output<typeof List> =>
  "items" in answer && Array.isArray(answer.items);

interface Answer {
  readonly items: readonly ClusterObject[];
  /** What kubectl said where it failed, be it on one of many objects. */
  readonly error?: string;
}

async function ask(
  host: Host,
  objects: readonly ClusterObject[],
  verb: readonly string[],
): Promise<Answer> {
  const asked = withStdin(kubectl(...verb, "-f", "-", "-o", "json"), asList(objects));
  const { code, stdout, stderr } = await askKubectl(host, asked);
  const failed = code === 0 ? {} : { error: stderr };
  if (stdout.trim() === "") return { items: [], ...failed };
  const answer = jsonOf("What kubectl prints", z.union([List, ClusterObject]), stdout);
  return { items: isList(answer) ? answer.items : [answer], ...failed };
}

// Written by the API server or by controllers, not by manifests.
function comparable({ metadata, ...object }: ClusterObject): ClusterObject {
  const { managedFields, resourceVersion, generation, uid, creationTimestamp, ...own } = metadata;
  const { status, ...rest } = object;
  return { ...rest, metadata: own };
}
