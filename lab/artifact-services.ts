import type { LabContext } from "./context.ts";
import type { LabService } from "./service.ts";

/** What `lab up` is told about the services that serve artifacts (image registry, file mirror). */
export interface ArtifactServicesInput {
  readonly context: LabContext;
  /** The machine's address on the lab's cable: the only one a service may listen on. */
  readonly address: string;
}

/**
 * The services besides the package proxy that a lab runs unless it is bare. `lab up` starts each one that does not run
 * and `lab down` ends it: an image registry or a file mirror joins the lab by being returned here.
 */
export async function artifactServices(
  _input: ArtifactServicesInput,
): Promise<readonly LabService[]> {
  return [];
}
