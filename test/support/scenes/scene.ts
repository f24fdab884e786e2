import fc from "fast-check";
import type { Action } from "#engine/dsl/module.ts";
import { FakeHost } from "#engine/host/fake/host.ts";

/** A host in some state, what of it is no file, and a wish. */
export interface Scene {
  readonly host: FakeHost;
  readonly state?: unknown;
  readonly wish: Action;
}

export const content = fc.constantFrom("", "a\n", "b\nc\n", "é");
export const mode = fc.constantFrom(0o600, 0o644, 0o755);
export const owner = fc.constantFrom("root", "bob");
export const state = fc.constantFrom("present" as const, "absent" as const);

/** What may be at a path: nothing, perhaps without its folder; a file; a link. */
type At =
  | { kind: "nothing"; folder: boolean }
  | { kind: "file"; content: string; mode: number; owner: string }
  | { kind: "link"; target: string };
export const at: fc.Arbitrary<At> = fc.oneof(
  fc.record({ kind: fc.constant("nothing" as const), folder: fc.boolean() }),
  fc.record({ kind: fc.constant("file" as const), content, mode, owner }),
  fc.record({ kind: fc.constant("link" as const), target: fc.constantFrom("/etc/x", "../y") }),
);
export const file = at.filter(({ kind }) => kind !== "link");

export function put({ files }: FakeHost, path: string, is: At): void {
  if (is.kind === "file") files.put(path, is.content, is);
  else if (is.kind === "link") files.symlink(path, is.target);
  else if (is.folder) files.mkdir(path.slice(0, path.lastIndexOf("/")));
}

export function hostWith(files: Readonly<Record<string, At>>): FakeHost {
  const host = new FakeHost();
  for (const [path, is] of Object.entries(files)) put(host, path, is);
  return host;
}

export const unit = fc.record({
  enabled: fc.boolean(),
  active: fc.boolean(),
  masked: fc.boolean(),
});
export const idle = { enabled: false, active: false, masked: false };

/** Made anew for each try: what is generated is only what it is made from. */
export const scene = <T>(from: fc.Arbitrary<T>, make: (given: T) => Scene) =>
  from.map((given) => Object.assign(() => make(given), { toString: () => JSON.stringify(given) }));

/** Scenes by the name of their module. */
export type Scenes = Record<string, fc.Arbitrary<() => Scene>>;
