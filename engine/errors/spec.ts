/** One way a run can stop. `message` says what happened; `hint` what to do about it, never the other way round. */
export interface ErrorSpec {
  readonly message: (...details: never[]) => string;
  /** What a tired operator does next, as one sentence. */
  readonly hint: string;
}

/** A part of the catalogue: codes are public and permanent; retire one, never reuse it. */
export type ErrorSpecs = Record<`PB_${string}`, ErrorSpec>;
