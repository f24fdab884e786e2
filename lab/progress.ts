/**
 * What a long piece of lab work reports: shown as one line each, with the time left.
 * `expectedMs` is how long it took last time (kept per version in the cache), or a measured default.
 */
export type LabProgress =
  | { readonly type: "started"; readonly label: string; readonly expectedMs?: number }
  | { readonly type: "done"; readonly label: string; readonly ms: number; readonly cached: boolean }
  | { readonly type: "failed"; readonly label: string; readonly error: Error };

export type ReportProgress = (progress: LabProgress) => void;
