import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { z } from "zod";

const modulesFolder = join(dirname(fileURLToPath(import.meta.url)), "../../modules");

const Attributes = {
  /** Written as 0o644. */
  mode: z.int().optional(),
  owner: z.string().optional(),
  group: z.string().optional(),
};

/** What stands at a path. A plain string is a root-owned file, mode 0644, with that content. */
const Entry = z.union([
  z.string(),
  z.strictObject({
    kind: z.enum(["file", "directory", "symlink", "other"]).optional(),
    content: z.string().optional(),
    /** In place of content, for files too big to write down. */
    sha256: z.string().optional(),
    size: z.int().optional(),
    target: z.string().optional(),
    ...Attributes,
  }),
]);

const oneOf = (...keys: string[]) => ({
  check: (value: Record<string, unknown>) =>
    keys.filter((key) => value[key] !== undefined).length === 1,
  message: `expected exactly one of ${keys.join(", ")}`,
});
const command = oneOf("argv", "script");

/**
 * What a command answers. A script (`script(…)` in a module) is named by its first line, a comment: "# sysctl-live".
 * `args` and `stdin` are compared where they are given.
 */
const Answer = z
  .strictObject({
    argv: z.array(z.string()).min(1).optional(),
    script: z.string().optional(),
    args: z.array(z.coerce.string()).optional(),
    stdin: z.string().optional(),
    code: z.int().default(0),
    stdout: z.string().default(""),
    stderr: z.string().default(""),
  })
  .refine(command.check, command.message);

const Facts = z.strictObject({
  hostname: z.string().default("w1"),
  os: z
    .strictObject({ id: z.string(), version: z.string(), codename: z.string() })
    .default({ id: "debian", version: "13", codename: "trixie" }),
  arch: z.string().default("amd64"),
  kernel: z.string().default("6.12.0"),
  cgroup: z.enum(["v1", "v2"]).default("v2"),
  bootId: z.string().default("5f0c6a5e-0000-4000-8000-000000000001"),
  memory: z.int().default(4096),
  cpus: z.int().default(2),
});

const HostState = z.strictObject({
  name: z.string().default("w1"),
  facts: Facts.prefault({}),
  files: z.record(z.string().startsWith("/"), Entry).default({}),
  commands: z.array(Answer).default([]),
});

/** Laid over the first host after its file changes: null removes a path, an answer replaces that of the same command. */
const Overlay = z.strictObject({
  facts: z.partialRecord(z.keyof(Facts), z.unknown()).default({}),
  files: z.record(z.string().startsWith("/"), Entry.nullable()).default({}),
  commands: z.array(Answer).default([]),
});

const Say = { say: z.string().optional() };
const Content = { content: z.string().optional(), was: z.string().nullable().optional() };
const Ran = {
  argv: z.array(z.string()).min(1).optional(),
  script: z.string().optional(),
  args: z.array(z.coerce.string()).optional(),
  stdin: z.string().optional(),
  env: z.record(z.string(), z.string()).optional(),
};
const Path = { path: z.string() };
const Write = z.strictObject({
  op: z.literal("write"),
  ...Path,
  ...Content,
  ...Attributes,
  ...Say,
});
const Remove = z.strictObject({ op: z.literal("remove"), ...Path, ...Say });

/** A change as a case file states it: `op`, and whatever of the rest matters. */
const Expected = z.discriminatedUnion("op", [
  z.strictObject({ op: z.literal("run"), ...Ran, timeout: z.string().optional(), ...Say }),
  Write,
  Remove,
  z.strictObject({ op: z.literal("attributes"), ...Path, ...Attributes, ...Say }),
  z.strictObject({ op: z.literal("directory"), ...Path, ...Attributes, ...Say }),
  z.strictObject({
    op: z.literal("upload"),
    from: z.string().optional(),
    to: z.string(),
    ...Attributes,
    ...Say,
  }),
  z.strictObject({ op: z.literal("download"), from: z.string(), to: z.string(), ...Say }),
  z.strictObject({ op: z.literal("reboot"), within: z.string().optional(), ...Say }),
  z.strictObject({
    op: z.literal("guarded"),
    files: z.array(z.discriminatedUnion("op", [Write, Remove])).optional(),
    apply: z.strictObject(Ran).optional(),
    address: z.string().optional(),
    verify: z.array(z.strictObject(Ran)).optional(),
    within: z.string().optional(),
    ...Say,
  }),
]);

const outcome = oneOf("changes", "error", "answer");

const CaseFile = z
  .strictObject({
    /** Which module of the folder, where a folder holds several; the folder's name unless given. */
    module: z.string().optional(),
    params: z.record(z.string(), z.unknown()).default({}),
    host: HostState.prefault({}),
    /** What read() finds; only what is given is compared. */
    now: z.record(z.string(), z.unknown()).optional(),
    changes: z.array(Expected).optional(),
    error: z.string().startsWith("PB_").optional(),
    /** Texts that the error's message, hint or output holds. */
    says: z.union([z.string(), z.array(z.string())]).optional(),
    /** For probes. */
    answer: z.strictObject({ holds: z.boolean(), saw: z.string().optional() }).optional(),
    /** The host after the changes: nothing is left to do. */
    // biome-ignore lint/suspicious/noThenProperty: the key of a case file; it holds data, so nothing awaits it
    then: Overlay.optional(),
    /** The way back from there to the first host; or the code of why there is none. */
    undo: z.union([z.array(Expected), z.string().startsWith("PB_")]).optional(),
    back: Overlay.pick({ files: true }).optional(),
  })
  .refine(outcome.check, outcome.message)
  .refine((file) => file.then === undefined || file.changes !== undefined, {
    message: "`then` is the host after `changes`",
  })
  .refine((file) => !Array.isArray(file.undo) || file.then !== undefined, {
    message: "`undo` begins at the host that `then` describes",
  });

export type HostState = z.output<typeof HostState>;
export type HostOverlay = z.output<typeof Overlay>;
export type Answer = z.output<typeof Answer>;
export interface Case extends z.output<typeof CaseFile> {
  /** The file's name without .yaml, as words. */
  readonly name: string;
  readonly module: string;
  /** modules/sysctl/cases/nothing-to-do.yaml */
  readonly path: string;
}

/** One case file, checked. @throws an error that names the file and the key that is wrong */
export function loadCase(folder: string, file: string): Case {
  const path = join("modules", folder, "cases", file);
  const parsed = CaseFile.safeParse(
    parse(readFileSync(join(modulesFolder, folder, "cases", file), "utf8")),
  );
  if (!parsed.success) throw new Error(`${path}: ${z.prettifyError(parsed.error)}`);
  const name = basename(file, ".yaml").replaceAll("-", " ");
  return { ...parsed.data, module: parsed.data.module ?? folder, name, path };
}

const entries = (path: string) => {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
};

/** The folders under modules/ that hold a module or probe; others hold plain functions and types. */
export const moduleFolders = (): string[] =>
  entries(modulesFolder)
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .filter((folder) => sources(folder).some((source) => /define(Module|Probe)\(/.test(source)));

const sources = (folder: string): string[] =>
  entries(join(modulesFolder, folder))
    .filter(({ name }) => name.endsWith(".ts"))
    .map(({ name }) => readFileSync(join(modulesFolder, folder, name), "utf8"));

/** All case files of a folder, unread: a broken one fails its own test, not the whole suite. */
export const caseFiles = (folder: string): string[] =>
  entries(join(modulesFolder, folder, "cases")).map(({ name }) => name);
