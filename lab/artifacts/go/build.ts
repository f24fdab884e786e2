import type { Go } from "./toolchain.ts";

export interface GoBuild {
  /** The folder of the go.mod. */
  readonly cwd: string;
  readonly packages: readonly string[];
  /** A file for one package, a folder with a slash at its end for several. */
  readonly output: string;
  readonly tags?: readonly string[];
  /** Linker values (`-X`), such as the version that the program prints. */
  readonly values?: Readonly<Record<string, string>>;
  /** With C code, linked statically all the same: images have no C library. */
  readonly cgo?: boolean;
}

/** Builds programs that run anywhere: static, stripped, without paths of this machine. */
export async function goBuild(go: Go, build: GoBuild): Promise<void> {
  const { cwd, packages, output, tags = [], values = {}, cgo = false } = build;
  const link = [
    "-s -w",
    ...Object.entries(values).map(([name, value]) => `-X ${name}=${value}`),
    ...(cgo ? ["-linkmode external -extldflags -static"] : []),
  ].join(" ");
  const flags = ["-mod=readonly", "-buildvcs=false", "-trimpath", "-ldflags", link];
  const chosen = tags.length > 0 ? ["-tags", tags.join(",")] : [];
  await go.run(["build", ...flags, ...chosen, "-o", output, ...packages], { cwd, cgo });
}
