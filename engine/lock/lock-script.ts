import { GUARD_BASE } from "../host/introduction.ts";
import { quote } from "../host/shell/quote.ts";

/** Between two looks of the watchdog, in s, and how many may find no heartbeat: together just below 30 s. */
const LOOK_S = 2;
const LOOKS = 14;

// In lines: held or free, whether a guarded change is under way, then the owner's.
const answer = `
tell() {
  echo "$1"
  if guarded; then echo guarded; else echo unguarded; fi
  cat "$d/owner" 2>/dev/null
}`;

// Few programs, for every host is asked at the start of every run, and starting them is most of what that costs there.
// Root's lock lies beside root's guards. Who is not root there can only keep others of the same user out.
const where = `
if [ -n "\${RUN_PLAYBOOK_RUN_DIR-}" ]; then b=$RUN_PLAYBOOK_RUN_DIR
elif [ -O / ]; then b=${GUARD_BASE}
else b=\${XDG_RUNTIME_DIR:-/tmp}/run-playbook-$(id -u)
fi
d=$b/lock
guarded() { [ -e "$b/active-guard" ] && ! flock -n "$b/guard.lock" true; }
held() { [ -e "$d/held" ] && ! flock -n "$d/held" true; }
owner() { last=; [ ! -r "$d/owner" ] || read -r last <"$d/owner"; }`;

/**
 * Holds the lock, detached, for as long as the run's heartbeats come. It lets go when they stay away or when TERM says
 * that the run is over, but not while a guarded change is unconfirmed. Time is counted in sleeps: a host's clock may be
 * set while the run goes on, by the run itself.
 *
 * Arguments: the lock's folder. Descriptor 9 is the lock; nothing that it starts keeps it.
 */
const watchdog = `# watchdog of a run-playbook lock
d=$1 b=\${1%/lock} left=${LOOKS} over=
guarded() { [ -e "$b/active-guard" ] && ! flock -n "$b/guard.lock" true 9>&-; }
trap over=1 TERM
trap '' HUP INT
echo $$ >"$d/pid" && echo up
exec >/dev/null 2>&1
while { [ -z "$over" ] && [ "$left" -gt 0 ]; } || guarded; do
  sleep ${LOOK_S} 9>&- &
  wait $!
  if [ -e "$d/beat" ]; then rm -f "$d/beat" 9>&-; left=${LOOKS}; else left=$((left - 1)); fi
done
`;

/**
 * Takes a host's lock, keeps it, or says who has it. Arguments: mode, the runs whose locks are this one's too as it goes on
 * with them (by blanks, or nothing), then the owner's lines: run, user, machine, since.
 *
 * - `take`: whoever had it last; the lock of a dead run that this one goes on with is taken over as it stands.
 * - `again`: after a new connection; refused where another run had it meanwhile. A host that was started anew has no
 *   memory of any.
 * - `beat`: refused as well where it was freed from outside.
 *
 * Exits 0 held, 6 lost and free, 7 held by another, 8 a tool is missing, 9 the folder cannot be used.
 */
export const lockScript = `${where}${answer}
mode=$1 before=$2
shift 2
mine() {
  [ "$last" = "$run" ] && return
  [ -n "$last" ] && case " $before " in *" $last "*) return 0 ;; esac
  return 1
}
sign() { printf '%s\\n' "$@" >"$d/owner.new" && mv -f "$d/owner.new" "$d/owner" || exit 9; }
run=$1
for tool in flock setsid; do
  command -v $tool >/dev/null || { echo "$tool is missing (it is part of util-linux)" >&2; exit 8; }
done
[ -d "$b" ] || (umask 022; mkdir -p "$b") || exit 9
[ -d "$d" ] || (umask 077; mkdir -p "$d") || exit 9
for folder in "$b" "$d"; do
  [ -O "$folder" ] && [ ! -L "$folder" ] || { echo "$folder belongs to somebody else" >&2; exit 9; }
done
umask 077
exec 9>>"$d/held" || exit 9
taken=; flock -n 9 || taken=1
owner
if [ -n "$taken" ] && [ "$mode" = take ] && ! mine; then
  # One that is being given back needs a moment, and so does a new owner to write its name.
  flock -w 3 9 && taken=
  owner
fi
if [ -n "$taken" ]; then
  mine || { tell held; exit 7; }
  : >"$d/beat"
  [ "$last" = "$run" ] || sign "$@"
  # It may have let go just now.
  flock -n 9 || exit 0
fi
case $mode$last in
  take* | "$mode$run" | again) ;;
  *) tell free; exit 6 ;;
esac
sign "$@"
[ ! -e "$d/beat" ] || rm -f "$d/beat"
# Answered once it has left this process group, and lives on when what is in it is ended.
up=$(setsid sh -c ${quote(watchdog)} watchdog "$d" </dev/null 2>/dev/null 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- &)
[ "$up" = up ] || { echo "its watchdog did not start" >&2; exit 9; }
`;

/**
 * Gives the lock back: the watchdog ends at once, or with the guarded change that is under way. Argument: the run. No
 * program is started for it, as every host is asked that at the end of every run.
 */
export const releaseScript = `${where}
owner
[ "$last" = "$1" ] && read -r pid <"$d/pid" && read -r what <"/proc/$pid/cmdline" || exit 0
# Its number may have become another process's.
case $what in *"# watchdog of a run-playbook lock") kill -s TERM "$pid" ;; esac
`;

/** Says who holds the lock. */
export const showScript = `${where}${answer}
if held; then tell held; else tell free; fi
`;

/**
 * Takes the lock from a run that is thought dead; should it live, its next heartbeat finds that. Argument: the run.
 * Exits 5 while a guarded change is under way, 7 where another run holds it by now.
 */
export const freeScript = `${where}${answer}
held || exit 0
owner
[ "$last" = "$1" ] || { tell held; exit 7; }
if guarded; then exit 5; fi
pid=$(cat "$d/pid")
rm -f "$d/owner"
kill -s TERM "$pid"
flock -w 5 "$d/held" true || { kill -s KILL "$pid"; flock -w 1 "$d/held" true; }
`;
