import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { z } from "zod";

const folder = fileURLToPath(new URL("../field/", import.meta.url));

const Params = z.record(z.string(), z.unknown());
const Script = z.string().trim().min(1);

/** What one file in test/field says: a fault as somebody met it, and what a run has to make of it. */
const FieldCase = z.strictObject({
  /** The public report, manual page or standard that the case comes from. */
  source: z.union([z.url(), z.string().regex(/^[\w.@-]+\(\d\)/, "expected a URL, or sysctl.d(5)")]),
  /** The module by the name in its definition. */
  module: z.string(),
  params: Params.default({}),
  /** Shell as root: makes the host as the report found it. */
  before: Script.optional(),
  /** How the first run ends: with changes, without any, or with this error. */
  first: z.union([z.enum(["changed", "ok"]), z.string().regex(/^PB_[A-Z_]+$/)]).default("changed"),
  /** Parts of what the first run says: of its error, or else of its changes. */
  says: z
    .union([z.string(), z.array(z.string())])
    .default([])
    .transform((says) => [says].flat()),
  /** Shell as root that exits 0 once the host is as wanted. */
  holds: Script.optional(),
  /** Other params that mean the same: nothing differs for them. */
  spellings: z.array(Params).default([]),
  /** Whether it must still be so after a power cut. */
  reboot: z.boolean().default(false),
  /** Shell as root that clears the case's things away. */
  after: Script.optional(),
});

export interface FieldCase extends z.output<typeof FieldCase> {
  /** The symptom: the file's name as words. */
  readonly name: string;
}

/** Every case of test/field, by name. @throws an error that names the file and what is wrong in it */
export const fieldCases = (): readonly FieldCase[] =>
  globSync("*.yaml", { cwd: folder }).sort().map(loadFieldCase);

function loadFieldCase(file: string): FieldCase {
  const parsed = FieldCase.safeParse(parse(readFileSync(join(folder, file), "utf8")));
  if (!parsed.success) throw new Error(`test/field/${file}: ${z.prettifyError(parsed.error)}`);
  return { ...parsed.data, name: basename(file, ".yaml").replaceAll("-", " ") };
}
