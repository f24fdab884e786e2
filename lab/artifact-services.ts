import { prepareArtifacts } from "./artifacts/artifacts.ts";
import type { LabContext } from "./context.ts";
import { mirrorService } from "./mirror/mirror.ts";
import { MIRROR_PORT, REGISTRY_PORT } from "./ports.ts";
import { pushImages } from "./registry/push.ts";
import { registryService } from "./registry/registry.ts";
import type { LabService } from "./service.ts";
import { labVersions } from "./versions.ts";

/** What `lab up` is told about the services that serve artifacts (image registry, file mirror). */
export interface ArtifactServicesInput {
  readonly context: LabContext;
  /** The machine's address on the lab's cable: the only one a service may listen on. */
  readonly address: string;
  /** A folder or URL laid out as a mirror, asked before the official releases and before any build. */
  readonly from?: string | undefined;
}

/** The services besides the package proxy that a lab runs unless it is bare. */
export interface ArtifactServices {
  readonly services: readonly LabService[];
  /** Fills the registry; to be called once it answers. What it has already is not sent again. */
  fill(): Promise<void>;
}

/** Gets or builds whatever the hosts will download, and says how to serve it. */
export async function artifactServices(input: ArtifactServicesInput): Promise<ArtifactServices> {
  const { address, from } = input;
  const { report } = input.context;
  // Builds have deadlines of their own; Ctrl-C ends this process, and the cache holds only what is whole.
  const { signal } = new AbortController();
  const { mirrorDir, registryDir, images } = await prepareArtifacts({
    versions: labVersions,
    ...(from === undefined ? {} : { from }),
    report,
    signal,
  });
  return {
    services: [
      mirrorService({ address, port: MIRROR_PORT, dir: mirrorDir }),
      registryService({ address, port: REGISTRY_PORT, dir: registryDir }),
    ],
    fill: () => pushImages(`http://[${address}]:${REGISTRY_PORT}`, images, report),
  };
}
