import { checkLabName } from "./plan/names.ts";
import type { ReportProgress } from "./progress.ts";
import { cacheFolder, type LabPaths, labPaths } from "./state/paths.ts";

/** What every part of a lab's work needs to know. */
export interface LabContext {
  readonly name: string;
  readonly paths: LabPaths;
  readonly cache: string;
  readonly report: ReportProgress;
}

export function labContext(name: string, report: ReportProgress = () => undefined): LabContext {
  return { name: checkLabName(name), paths: labPaths(name), cache: cacheFolder(), report };
}
