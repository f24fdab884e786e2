import { PlaybookError } from "../errors/error.ts";
import { script } from "../host/command.ts";
import type { Connection } from "../host/connection.ts";
import { CALLS_SHELL } from "../host/introduction.ts";

/**
 * Finds framed shells whose run is not there any more and that have not come to the end of their command, and waits for
 * them. Such a shell
 *
 * - has no engine above it: neither sshd nor the process itself; or
 * - lives on below an sshd that did not hear of the end: of an earlier connection of this run to this host, of a dead run
 *   that this one goes on with, or of one that the lock, which this run has now, kept others out for.
 *
 * What a shell's arguments say is in `shellMark`. Arguments: how long, in s, and the dead runs, by blanks. Exits 7 where
 * one is still at work then, with its command.
 */
const LEFTOVERS = `# leftovers
left=$1 dead=" $2 "
mark() {
  set -f
  set -- $(tr '\\0' ' ' <"/proc/$1/cmdline")
  [ "$1 $2 $3" = "sh -s ${CALLS_SHELL}" ] || return 1
  shift 3
  echo "$@"
}
own=$(mark $PPID)
set -- $own
run=\${1-} lock=\${2-} host=\${3-}
orphaned() {
  i=$1
  while :; do
    read -r x <"/proc/$i/stat" || return 1
    set -- \${x##*) }
    i=$2
    [ "$i" -gt 1 ] || return 0
    read -r name <"/proc/$i/comm" || return 1
    case $name in
      sudo | su | runuser) ;;
      systemd) return 0 ;;
      *) return 1 ;;
    esac
  done
}
over() {
  [ -n "$1" ] && [ "$1" != "$own" ] || return 1
  set -- $1
  case $dead in *" $1 "*) return 0 ;; esac
  # The rest counts for a run that changes the host itself.
  [ -n "$run" ] || return 1
  if [ "$1" = "$run" ]; then [ "$3" = "$host" ]; else [ "$2" = "$lock" ]; fi
}
at_work() {
  for file in $(grep -ls ${CALLS_SHELL} /proc/[0-9]*/cmdline); do
    p=\${file#/proc/} p=\${p%/cmdline}
    marked=$(mark "$p") || continue
    # Whose locks lie elsewhere keeps out of this one's way by himself.
    dir=$(tr '\\0' '\\n' <"/proc/$p/environ" | sed -n 's/^RUN_PLAYBOOK_RUN_DIR=//p')
    [ "$dir" = "\${RUN_PLAYBOOK_RUN_DIR-}" ] && { over "$marked" || orphaned "$p"; } || continue
    read -r child x <"/proc/$p/task/$p/children"
    [ -n "$child" ] || continue
    command=$(tr '\\0\\n' '  ' <"/proc/$child/cmdline")
    # One that waited as this one does: two of them would wait for each other.
    case $command in "sh -c # leftovers"*) continue ;; esac
    echo "$command"
    return 0
  done
  return 1
}
while what=$(at_work 2>/dev/null); do
  if [ "$left" -le 0 ]; then printf '%s\\n' "$what"; exit 7; fi
  sleep 1
  left=$((left - 1))
done
exit 0`;

const AT_WORK = 7;
/** Below a step's usual timeout, which would tell less. */
const WAIT_S = 240;

/**
 * A command of a run that is dead, or of a connection that was cut, may still be at work: what is read before it ends may
 * not stay, and begun once more it would run beside itself. @throws PB_LEFTOVER_BUSY
 */
export async function settleLeftovers(
  connection: Connection,
  host: string,
  resumes: readonly string[] = [],
): Promise<void> {
  const dead = resumes.join(" ");
  const { code } = await connection.run(script(LEFTOVERS, 0, dead));
  if (code !== AT_WORK) return;
  const waited = await connection.run(script(LEFTOVERS, WAIT_S, dead), {
    long: true,
    timeoutMs: (WAIT_S + 60) * 1000,
  });
  if (waited.code === AT_WORK)
    throw new PlaybookError("PB_LEFTOVER_BUSY", [host, waited.stdout.trim().slice(0, 160), WAIT_S]);
}
