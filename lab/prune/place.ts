import type { Arch } from "../artifacts/artifact.ts";
import type { LabVersions } from "../versions.ts";
import type { LivingLabs } from "./living-labs.ts";

/** What is judged, and by what. */
export interface Place {
  /** The product's cache folder. */
  readonly cache: string;
  readonly arch: Arch;
  /** What this version's labs run. */
  readonly versions: LabVersions;
  readonly labs: LivingLabs;
  readonly env: NodeJS.ProcessEnv;
  /** Ms since 1970. */
  readonly now: number;
}

/** Something in the cache that no lab needs any more. */
export interface Prunable {
  /** As "kubelet v1.35.1". */
  readonly what: string;
  readonly why: string;
  /** On disk. */
  readonly bytes: number;
  /** False where somebody holds or used it meanwhile: it stays then. */
  remove(): Promise<boolean>;
}

const UNUSED_DAYS = 30;

/** Why something that was last used then can go; undefined where it was used lately. */
export function unused(lastUsed: number, { now }: Place): string | undefined {
  if (now - lastUsed < UNUSED_DAYS * 86_400_000) return undefined;
  return `unused since ${new Date(lastUsed).toISOString().slice(0, 10)}`;
}
