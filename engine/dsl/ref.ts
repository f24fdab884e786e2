import { PlaybookError } from "../errors/error.ts";
import type { Command } from "../host/command.ts";
import { isSecret, type Secret } from "./secret.ts";

const BRAND = Symbol.for("run-playbook.ref");
declare const VALUE: unique symbol;

/**
 * Whose output a ref reads: `one` the step's only host, `each` the same host that reads it, `all` every host of the
 * step in inventory order.
 */
export type RefScope = "one" | "each" | "all";

/** Where a secret comes from on the control machine; read before any connection, never stored. */
export type SecretSource =
  | { readonly from: "env"; readonly name: string }
  | { readonly from: "file"; readonly path: string }
  | { readonly from: "command"; readonly command: Command }
  | { readonly from: "prompt"; readonly question: string };

export type RefSource =
  | {
      readonly kind: "output";
      readonly step: string;
      readonly field: string;
      readonly scope: RefScope;
    }
  | { readonly kind: "mapped"; readonly of: unknown; readonly apply: (value: never) => unknown }
  | { readonly kind: "secret"; readonly source: SecretSource };

/** A value that exists only later: an output of a step, or a secret. Passing one as a param is the edge. */
export class Ref<out T> {
  readonly [BRAND] = true;
  declare readonly [VALUE]: T;
  readonly source: RefSource;

  constructor(source: RefSource) {
    this.source = source;
  }

  /** The same ref seen through a pure function. @example pending.out.all.joined.map((all) => all.includes(false)) */
  map<U>(apply: (value: T) => U): Ref<U> {
    return new Ref<U>({ kind: "mapped", of: this, apply: apply as (value: never) => unknown });
  }

  // In a template literal a ref would compile and print nonsense: it must fail loudly instead.
  toString(): string {
    throw new PlaybookError("PB_REF_MISUSED", [describeRef(this), "text"]);
  }
  toJSON(): string {
    throw new PlaybookError("PB_REF_MISUSED", [describeRef(this), "JSON"]);
  }
}

/** By brand: an npx copy and a local copy of the package may both be loaded. */
export const isRef = (value: unknown): value is Ref<unknown> =>
  typeof value === "object" && value !== null && BRAND in value;

type Leaf = string | number | boolean | bigint | null | undefined | Secret | Uint8Array;

/** A value in which any part may be a ref. */
export type Refable<T> =
  | Ref<T>
  // Free-form values (manifests, configuration that is passed on) are taken as they are.
  | (unknown extends T
      ? T
      : T extends Leaf
        ? T
        : T extends (...args: never[]) => unknown
          ? T
          : { [K in keyof T]: Refable<T[K]> });

/** What is left of a structure once every ref in it is its value. */
export type Resolved<P> =
  P extends Ref<infer T>
    ? T
    : P extends Leaf
      ? P
      : P extends (...args: never[]) => unknown
        ? P
        : { [K in keyof P]: Resolved<P[K]> };

/** Several refs, or a structure with refs inside, as one. @example combine({ a: x.out.a, b: y.out.b }).map(…) */
export const combine = <P>(parts: P): Ref<Resolved<P>> =>
  new Ref<Resolved<P>>({ kind: "mapped", of: parts, apply: (value: never) => value });

/** A ref as people name it: "control plane.endpoint". */
function describeRef(ref: Ref<unknown>): string {
  const { source } = ref;
  if (source.kind === "output") return `${source.step}.${source.field}`;
  if (source.kind === "secret") return `secret from ${source.source.from}`;
  return refsIn(source.of).map(describeRef).join(", ");
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;

/** Every ref inside a value, without those that a mapped ref is made of. */
export function refsIn(value: unknown): Ref<unknown>[] {
  if (isRef(value)) return [value];
  if (isSecret(value) || typeof value !== "object" || value === null) return [];
  if (Array.isArray(value)) return value.flatMap(refsIn);
  return isPlain(value) ? Object.values(value).flatMap(refsIn) : [];
}

/** The refs to outputs that a value depends on, through every map. */
export function outputsIn(value: unknown): Extract<RefSource, { kind: "output" }>[] {
  return refsIn(value).flatMap(({ source }) => {
    if (source.kind === "output") return [source];
    return source.kind === "mapped" ? outputsIn(source.of) : [];
  });
}

/** The value with every ref replaced by what `lookup` finds for it; maps are applied on the way. */
export function resolveRefs(value: unknown, lookup: (source: RefSource) => unknown): unknown {
  if (isRef(value)) {
    const { source } = value;
    if (source.kind !== "mapped") return lookup(source);
    return source.apply(resolveRefs(source.of, lookup) as never);
  }
  if (Array.isArray(value)) return value.map((item) => resolveRefs(item, lookup));
  if (!isPlain(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, resolveRefs(item, lookup)]),
  );
}

/** Secrets by reference: read on the control machine, before any connection. */
export const secretFrom = {
  /** An environment variable. */
  env: (name: string) => new Ref<Secret>({ kind: "secret", source: { from: "env", name } }),
  /** A file's content without its last newline; its mode must not let others read it. */
  file: (path: string) => new Ref<Secret>({ kind: "secret", source: { from: "file", path } }),
  /** What a program on the control machine prints, without its last newline. */
  command: (command: Command) =>
    new Ref<Secret>({ kind: "secret", source: { from: "command", command } }),
  /** Asked for on the terminal, without echo. */
  prompt: (question: string) =>
    new Ref<Secret>({ kind: "secret", source: { from: "prompt", question } }),
};
