import { PlaybookError } from "../errors/error.ts";
import { script } from "../host/command.ts";
import type { Connection } from "../host/connection.ts";
import { CALLS_SHELL } from "../host/introduction.ts";

/**
 * Finds framed shells whose engine is gone and that have not come to the end of their command, and waits for them.
 * An engine that is there stands above its shell: sshd, or the process itself. Argument: how long, in s. Exits 7 where
 * one is still at work then, with its command.
 */
const LEFTOVERS = `# leftovers
left=$1
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
at_work() {
  for file in $(grep -ls ${CALLS_SHELL} /proc/[0-9]*/cmdline); do
    [ "$(tr '\\0' ' ' <"$file")" = "sh -s ${CALLS_SHELL} " ] || continue
    p=\${file#/proc/} p=\${p%/cmdline}
    # Whose locks lie elsewhere keeps out of this one's way by himself.
    dir=$(tr '\\0' '\\n' <"/proc/$p/environ" | sed -n 's/^RUN_PLAYBOOK_RUN_DIR=//p')
    [ "$dir" = "\${RUN_PLAYBOOK_RUN_DIR-}" ] && orphaned "$p" || continue
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
 * A command of a run that is dead may still be at work: what is read before it ends may not stay, and begun once more it
 * would run beside itself. @throws PB_LEFTOVER_BUSY
 */
export async function settleLeftovers(connection: Connection, host: string): Promise<void> {
  const { code } = await connection.run(script(LEFTOVERS, 0));
  if (code !== AT_WORK) return;
  const waited = await connection.run(script(LEFTOVERS, WAIT_S), {
    long: true,
    timeoutMs: (WAIT_S + 60) * 1000,
  });
  if (waited.code === AT_WORK)
    throw new PlaybookError("PB_LEFTOVER_BUSY", [host, waited.stdout.trim().slice(0, 160), WAIT_S]);
}
