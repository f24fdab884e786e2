import { isAbsolute, posix } from "node:path";
import type { RemoveChange } from "../dsl/change.ts";
import { PlaybookError } from "../errors/error.ts";
import { script } from "../host/command.ts";
import { GUARD_BASE } from "../host/introduction.ts";
import { commandFailed } from "./command-failure.ts";
import { type Applying, callOptions } from "./reached.ts";

/**
 * Removes a path with all that is in it, but nothing that is mounted there or below, which belongs to somebody else, and
 * not the engine's own state, the lock of this very run among it.
 * @throws PB_REMOVE_MOUNTED and PB_REMOVE_STATE before anything is removed
 */
export async function applyRemove(change: RemoveChange, { on, manner }: Applying): Promise<void> {
  const command = script(REMOVE, removable(change));
  const result = await on.connection.run(command, { ...callOptions(manner), long: true });
  if (result.code === MOUNTED)
    throw new PlaybookError("PB_REMOVE_MOUNTED", [change.path, result.stdout.trim()]);
  if (result.code === STATE) throw new PlaybookError("PB_REMOVE_STATE", [change.path, GUARD_BASE]);
  if (result.code !== 0) throw commandFailed(command, result);
}

const MOUNTED = 16;
const STATE = 17;

// The kernel lists real paths, a blank in them as \040 (proc_pid_mountinfo(5)): links on the way are followed, the last
// part is not. GNU's rm has options for this, but busybox's has none, and they miss a bind mount of the same file system.
const REMOVE = `# remove
d=$(cd -P -- "\${1%/*}/" 2>/dev/null && pwd) || exit 0
p=\${d%/}/\${1##*/}
case $p in ${GUARD_BASE}|${GUARD_BASE}/*) exit ${STATE} ;; esac
while read -r _ _ _ _ m _; do
  case $m in *\\\\*) m=$(printf %b "$m") ;; esac
  case $m in "$p"|"$p"/*) printf '%s\\n' "$m"; exit ${MOUNTED} ;; esac
done </proc/self/mountinfo
exec rm -rf -- "$1"`;

function removable({ path }: RemoveChange): string {
  const plain = posix.normalize(path).replace(/\/$/, "");
  if (!isAbsolute(path) || plain === "")
    throw new TypeError(`a remove needs an absolute path below /, not "${path}"`);
  return plain;
}
