/** What the command line says about a run of a playbook. */
export interface CliOptions {
  readonly inventory?: string;
  /** True, or the lab's name. */
  readonly lab?: true | string;
  readonly param?: readonly string[];
  readonly check?: boolean;
  /** A file to write a plan to; implies check. */
  readonly planOut?: string;
  /** A file with the plan to apply. */
  readonly applyPlan?: string;
  readonly planKey?: string;
  readonly diff?: boolean;
  readonly window?: string;
  readonly limit?: readonly string[];
  readonly only?: readonly string[];
  readonly list?: boolean;
  readonly graph?: boolean;
  readonly forks?: number;
  readonly output?: "tree" | "lines" | "json";
  readonly verbose: number;
  readonly yes?: boolean;
  readonly color?: boolean;
  readonly help?: boolean;
}

/** What it says about how a resumed run is gone on with; all else is as it was. */
export type ResumeOptions = Pick<
  CliOptions,
  "param" | "yes" | "diff" | "output" | "verbose" | "color"
>;

/** How a run, or all of them, are shown. */
export interface ShowOptions {
  readonly output?: "text" | "json";
}

export interface RunsOptions extends ShowOptions {
  readonly all?: boolean;
}

/** How each output looks; the first is taken on a terminal, the second elsewhere. */
export const outputs = ["tree", "lines", "json"] as const;
