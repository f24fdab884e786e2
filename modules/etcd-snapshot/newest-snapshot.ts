import { z } from "zod";
import { type Host, script } from "#engine/index.ts";
import { answerOf } from "../answer.ts";

/** The names that this module gives, as a pattern of sh: whatever else is in the folder is somebody else's. */
export const OWN_NAMES =
  "etcd-[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]-[0-9][0-9][0-9][0-9][0-9][0-9].db";

const NEWEST = `# etcd-snapshot-newest
now=$(date +%s)
cd "$1" 2>/dev/null || { echo "$now"; exit 0; }
echo "$now $(ls -1 ${OWN_NAMES} 2>/dev/null | wc -l)"
name=$(ls -1t ${OWN_NAMES} 2>/dev/null | while read -r each; do
  [ "$(stat -c %Y "$each")" -gt "$now" ] || { echo "$each"; break; }
done)
[ -n "$name" ] || exit 0
echo "$name"
stat -c %Y "$name"
sha256sum --check --status "$name.sha256" 2>/dev/null && cut -d ' ' -f 1 "$name.sha256"
true`;

const Seconds = z
  .string()
  .regex(/^\d{1,11}$/)
  .transform(Number);
// The name becomes part of a file's name on this machine.
const Answer = z.object({
  clock: Seconds,
  count: Seconds,
  name: z.string().regex(/^(etcd-\d{8}-\d{6}\.db)?$/),
  written: Seconds,
  sha256: z.string().regex(/^([0-9a-f]{64})?$/),
});

/**
 * The newest snapshot of a folder, leaving out what is from the future: a clock that was ahead wrote it, and it would
 * look fresh for as long as the clock was wrong by. Its sha256 is empty where it does not agree with what was noted.
 */
export interface NewestSnapshot {
  /** Empty where there is none. */
  readonly path: string;
  readonly ageSeconds: number;
  readonly sha256: string;
  /** The host's clock, in seconds since the epoch. */
  readonly clock: number;
  /** How many of this module there are. */
  readonly count: number;
}

/** Reads it through: what is damaged on disk is no snapshot. */
export async function newestSnapshot(host: Host, dir: string): Promise<NewestSnapshot> {
  const printed = await host.text(script(NEWEST, dir));
  const [first = "", name = "", written = "0", sha256 = ""] = printed.split("\n");
  const [clock, count = "0"] = first.split(" ");
  const what = `The newest snapshot in ${dir}`;
  const found = answerOf(what, Answer, { clock, count, name, written, sha256 });
  return {
    path: found.name === "" ? "" : `${dir}/${found.name}`,
    ageSeconds: found.clock - found.written,
    sha256: found.sha256,
    clock: found.clock,
    count: found.count,
  };
}
