import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Go } from "./toolchain.ts";

const Downloaded = z.object({ Dir: z.string(), GoMod: z.string() });

const GoMod = z.object({
  Go: z.string(),
  Godebug: z.array(z.object({ Key: z.string(), Value: z.string() })).nullish(),
  Replace: z
    .array(z.object({ Old: z.object({ Path: z.string() }), New: z.object({ Path: z.string() }) }))
    .nullish(),
});
type GoMod = z.infer<typeof GoMod>;

/** A module's source as the module proxy has it, checked by go against the public checksum database. */
export const downloadModule = async (go: Go, module: string, version: string) =>
  Downloaded.parse(JSON.parse(await go.run(["mod", "download", "-json", `${module}@${version}`])));

/** A module of our own around programs whose own modules cannot be built from outside their repository. */
export interface Wrapper {
  readonly name: string;
  /** Modules at one version; the first one's go and godebug lines are taken over. */
  readonly requires: readonly [string, ...string[]];
  readonly version: string;
  /** Packages to build, as `tool` lines. */
  readonly tools: readonly string[];
  /**
   * The release of modules that the first one keeps in its own repository and replaces by folders there: a replace
   * holds only in the main module, so each is named again.
   */
  readonly nestedVersion?: string;
}

/** Writes go.mod and go.sum of the wrapper into the folder. */
export async function writeWrapper(go: Go, wrapper: Wrapper, dir: string): Promise<void> {
  const [main] = wrapper.requires;
  const { GoMod: path } = await downloadModule(go, main, wrapper.version);
  const theirs = GoMod.parse(JSON.parse(await go.run(["mod", "edit", "-json", path])));
  await writeFile(join(dir, "go.mod"), `module lab/${wrapper.name}\n`);
  await go.run(["mod", "edit", ...wrapperEdits(wrapper, theirs)], { cwd: dir });
  await go.run(["mod", "tidy"], { cwd: dir });
}

/** What `go mod edit` is told, so that the wrapper builds as the wrapped module does. */
export function wrapperEdits(wrapper: Wrapper, theirs: GoMod): string[] {
  const { nestedVersion } = wrapper;
  const nested = (theirs.Replace ?? []).filter(({ New }) => New.Path.startsWith("./"));
  return [
    `-go=${theirs.Go}`,
    ...(theirs.Godebug ?? []).map(({ Key, Value }) => `-godebug=${Key}=${Value}`),
    ...wrapper.requires.map((module) => `-require=${module}@${wrapper.version}`),
    ...(nestedVersion === undefined
      ? []
      : nested.map(({ Old }) => `-replace=${Old.Path}=${Old.Path}@${nestedVersion}`)),
    ...wrapper.tools.map((tool) => `-tool=${tool}`),
  ];
}
