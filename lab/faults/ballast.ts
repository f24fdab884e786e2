import { sh } from "#engine/host/command.ts";
import type { LabContext } from "../context.ts";
import { processOf } from "../exec.ts";
import { nspawnOf } from "../host/inside.ts";
import { run } from "../machine/run.ts";
import type { LabState } from "../state/state.ts";

// What statfs calls available leaves out what the file system keeps for itself and gives to nobody, root included; that
// is what writers run out of. A large piece can be refused for want of room for its own bookkeeping: then smaller ones.
const FILL = `
set -eu
file=$1 leave=$2
spare() {
  set -- $(stat -f -c "%a %S" "\${file%/*}")
  echo $(($1 * $2 - leave))
}
[ -e "$file" ] || : >"$file"
spare=$(spare) step=$spare
if [ "$spare" -lt 0 ]; then
  size=$(($(stat -c %s "$file") + spare))
  [ "$size" -ge 0 ] || size=0
  truncate -s "$size" "$file"
fi
why=
while [ "$step" -ge 4096 ]; do
  size=$(stat -c %s "$file")
  why=$(fallocate -o "$size" -l "$step" "$file" 2>&1) || step=$((step / 2))
  spare=$(spare)
  [ "$spare" -ge "$step" ] || step=$spare
done
[ "$spare" -lt 1048576 ] || { echo "$why" >&2; exit 1; }`;

/** Fills a host's disk with a file that the host does not see, so that no more than the given room is left. */
export async function fillDisk(
  context: LabContext,
  state: LabState,
  { name, leaveBytes }: { name: string; leaveBytes: number },
): Promise<void> {
  const { inside, file } = await ballast(context, state, name);
  await run(sh`${inside} sh -c ${FILL} sh ${file} ${leaveBytes}`);
}

/** Takes that file away again. */
export async function emptyDisk(context: LabContext, state: LabState, name: string): Promise<void> {
  const { inside, file } = await ballast(context, state, name);
  await run(sh`${inside} rm -f -- ${file}`);
}

// The disk is mounted for the host's own processes only: nspawn is one that sees it whole, beside the host's root.
async function ballast(context: LabContext, state: LabState, name: string) {
  const nspawn = await processOf(state, name, nspawnOf);
  return {
    inside: ["nsenter", `--target=${nspawn}`, "--mount", "--"],
    file: `${context.paths.host(name).disk}/ballast`,
  };
}
