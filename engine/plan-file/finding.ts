import { showChange } from "../converge/shown-change.ts";
import type { Change, WriteChange } from "../dsl/change.ts";
import type { Finding } from "../run/witness.ts";
import type { Digests } from "./digests.ts";
import type { PlannedChange } from "./schema.ts";

/** What a read found, in the form in which a plan file keeps it. */
export interface KeptFinding {
  readonly changes: readonly PlannedChange[];
  readonly read: string;
  readonly given: string;
}

/** What findings are kept with. */
export interface Keeping {
  readonly digests: Digests;
  /** The sha256 of a file of the control machine. */
  hashOf(path: string): Promise<string>;
}

/** Turns a finding into words and keyed hashes: nothing of it can be read back. */
export async function keep(
  { now, want, changes }: Finding,
  keeping: Keeping,
): Promise<KeptFinding> {
  const { digests } = keeping;
  return {
    changes: await Promise.all(changes.map((change) => keepChange(change, keeping))),
    read: digests.of(now),
    given: digests.of(want),
  };
}

async function keepChange(change: Change, { digests, hashOf }: Keeping): Promise<PlannedChange> {
  const { say: _, ...data } = change;
  const words = showChange(change).map(({ say }) => say);
  const replaced = overwritten(change);
  return {
    say: words.join("; "),
    does: digests.of(withoutWas(data)),
    ...(replaced.length === 0 ? {} : { replaces: digests.of(replaced.map(({ was }) => was)) }),
    // A file that is not there fails the change itself, with an error that says so.
    ...(change.op === "upload"
      ? { sends: digests.of(await hashOf(change.from).catch(() => "nothing")) }
      : {}),
  };
}

const overwritten = (change: Change): WriteChange[] => {
  if (change.op === "write") return [change];
  return change.op === "guarded" ? change.files.flatMap(overwritten) : [];
};

type Data = Omit<Change, "say"> & { readonly files?: readonly object[] };

const withoutWas = ({ files, ...data }: Data): unknown => ({
  ...data,
  was: undefined,
  files: files?.map((file) => ({ ...file, was: undefined })),
});
