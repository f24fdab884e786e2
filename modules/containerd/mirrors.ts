/** Where containerd looks for images before it asks the registry itself: a file a registry, read at each pull. */
import { type Change, type Host, script } from "#engine/index.ts";
import { templateFile } from "#engine/template/template.ts";
import { type FileNow, keepAway, keepFile, readManaged } from "../managed-file.ts";
import type { FileBack } from "../undo-file.ts";

export const certsFolder = "/etc/containerd/certs.d";

/** The first line of files that are ours, so that they go with their mirrors. */
const MARK = "# kept by run-playbook, and removed with its mirrors";

const hostsFile = templateFile<{
  mark: string;
  server: string;
  mirrors: readonly { url: string; hasPath: boolean }[];
}>(new URL("hosts.toml.hbs", import.meta.url));

/** A registry with mirrors, wanted or not any more, and its file. */
interface MirroredRegistry {
  readonly registry: string;
  readonly mirrors: readonly string[];
  readonly now: FileNow;
}
type Wanted = Readonly<Record<string, readonly string[]>>;

const OURS = `# containerd-mirrors
for file in "$1"/*/hosts.toml; do
  read -r first <"$file" 2>/dev/null && [ "$first" = "$2" ] || continue
  file=\${file%/hosts.toml}
  printf '%s\\n' "\${file##*/}"
done
true`;

/** Looks at those that have mirrors, wanted or not any more. */
export async function readMirrors(
  host: Host,
  wanted: Wanted,
): Promise<readonly MirroredRegistry[]> {
  const look = async (registry: string) => ({
    registry,
    mirrors: wanted[registry] ?? [],
    now: await readManaged(host, hostsPath(registry)),
  });
  const [ours, known] = await Promise.all([
    host.text(script(OURS, certsFolder, MARK)),
    Promise.all(Object.keys(wanted).map(look)),
  ]);
  const left = ours.split("\n").filter((registry) => registry !== "" && !(registry in wanted));
  return [...known, ...(await Promise.all(left.map(look)))];
}

/** Each registry's file with its mirrors; none where it has none. containerd needs no restart for it. */
export function* keepMirrors(found: readonly MirroredRegistry[]): Generator<Change> {
  for (const { registry, mirrors, now } of found) {
    const path = hostsPath(registry);
    if (mirrors.length > 0) yield* keepFile(now, { path, content: render(registry, mirrors) });
    else yield* keepAway(now, path);
  }
}

/** Their files on the way back. */
export const mirrorsBack = (
  before: readonly MirroredRegistry[],
  now: readonly MirroredRegistry[],
): readonly FileBack[] =>
  before.flatMap(({ registry, now: was }) => {
    const is = now.find((host) => host.registry === registry)?.now;
    // Of one that was removed nothing is there.
    const gone = { content: undefined, stat: undefined, lacks: [] };
    return [{ path: hostsPath(registry), before: was, now: is ?? gone }];
  });

const hostsPath = (registry: string) => `${certsFolder}/${registry}/hosts.toml`;

/**
 * Docker's registry answers at another name than its own. A mirror with a path is the root of the registry's API there:
 * containerd would add /v2 to it (docs/hosts.md of containerd: override_path).
 */
const render = (registry: string, mirrors: readonly string[]): string =>
  hostsFile({
    mark: MARK,
    server: `https://${registry === "docker.io" ? "registry-1.docker.io" : registry}`,
    mirrors: mirrors.map((url) => ({ url, hasPath: new URL(url).pathname !== "/" })),
  });
