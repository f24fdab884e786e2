import { catalog, type ErrorCode, type ErrorDetails } from "./catalog.ts";

const BRAND = Symbol.for("run-playbook.error");

/** Where and in what state an error left things; filled in by whoever knows, on the way up. */
export interface ErrorContext {
  /** Playbook file:line of the step. */
  at?: string;
  step?: string;
  host?: string;
  /** What state things are in, as one sentence ("2 of 3 changes on w1 were applied"). */
  state?: string;
  /** What was run or printed, lines already redacted; at most 20 lines. */
  output?: readonly string[];
  /** A more specific next step than the catalogue's. */
  hint?: string;
}

/** An expected failure. Bugs throw plain errors; everything in the catalogue is one of these. */
export class PlaybookError<C extends ErrorCode = ErrorCode> extends Error {
  readonly [BRAND] = true;
  readonly code: C;
  context: ErrorContext;

  constructor(
    code: C,
    details: ErrorDetails<C>,
    context: ErrorContext = {},
    options?: ErrorOptions,
  ) {
    const spec = catalog[code];
    super((spec.message as (...details: unknown[]) => string)(...details), options);
    this.name = "PlaybookError";
    this.code = code;
    this.context = context;
  }

  get hint(): string {
    return this.context.hint ?? catalog[this.code].hint;
  }

  /** Adds what only an outer layer knows; what an inner layer said stands. */
  with(context: ErrorContext): this {
    this.context = { ...context, ...this.context };
    return this;
  }
}

/** By brand, not by class: an npx copy and a local copy of the package may both be loaded. */
export const isPlaybookError = (error: unknown): error is PlaybookError =>
  typeof error === "object" && error !== null && BRAND in error;
