/**
 * What runs on the host, detached, from before the first file changes until the change is confirmed or undone. It needs
 * nothing of the engine but one sign: the file `open` renamed to `confirmed`. A rename has one winner, so a
 * confirmation that comes as the time runs out either counts or is refused, never both.
 *
 * Arguments: its folder, the seconds it waits, and the command that makes the files take effect.
 * In the folder: entry-N/path, entry-N/new (none: the file is to go), stdin; it adds entry-N/old or entry-N/absent,
 * log, code (how the command ended) and state.
 *
 * The command runs with GUARD_STEP, "apply" or "revert", and GUARD_KEPT, a folder for what it needs to go back: the old
 * files alone do not bring back what was live where they had never been applied.
 */
export const guardScript = `
d=$1 left=$2
shift 2
say() { printf '%s\\n' "$*" >"$d/state.new" && mv -f "$d/state.new" "$d/state"; }
# What was put in place, or printed, may be secret: it stays no longer than somebody needs it.
clear() { rm -rf "$d"/entry-* "$d/stdin" "$d/kept"; }
end() {
  clear
  [ "$1" != confirmed ] || rm -f "$d/log"
  say "$@"
  rm -f "$d/../active-guard"
  exit 0
}
put() {
  rm -rf "$2.guard-new" && cp -pPR "$1" "$2.guard-new" || return 1
  sync "$2.guard-new" 2>/dev/null || sync
  if [ -d "$2" ] && [ ! -L "$2" ]; then rm -rf "$2" || return 1; fi
  mv -f "$2.guard-new" "$2"
}
save() {
  for e in "$d"/entry-*; do
    [ -d "$e" ] || continue
    p=$(cat "$e/path")
    if [ -e "$p" ] || [ -L "$p" ]; then cp -pPR "$p" "$e/old" || return 1; else : >"$e/absent" || return 1; fi
  done
}
install() {
  for e in "$d"/entry-*; do
    [ -d "$e" ] || continue
    p=$(cat "$e/path")
    if [ -e "$e/new" ]; then put "$e/new" "$p" || return 1; else rm -rf "$p" || return 1; fi
  done
}
restore() {
  bad=0
  for e in "$d"/entry-*; do
    [ -d "$e" ] || continue
    p=$(cat "$e/path")
    if [ -e "$e/absent" ]; then rm -rf "$p" || bad=1; else put "$e/old" "$p" || bad=1; fi
  done
  return $bad
}
# In a session of its own, so that all of it can be stopped, and so that it does not hold the lock (9).
begin() {
  step=$1
  shift
  rm -f "$d/code"
  GUARD_STEP=$step GUARD_KEPT=$d/kept setsid sh -c 'c=$1; shift; "$@"; echo $? >"$c.new"; mv -f "$c.new" "$c"' sh "$d/code" "$@" \\
    <"$d/stdin" >>"$d/log" 2>&1 9>&- &
  pid=$!
}
pid=
save || end "failed the old files could not be saved"
say pending
why="it was not confirmed in time"
mkdir -p -m 700 "$d/kept"
if install; then begin apply "$@"; else why="the new files could not be put in place" left=0; fi
while [ "$left" -gt 0 ]; do
  [ ! -e "$d/confirmed" ] || end confirmed
  if [ -s "$d/code" ]; then
    code=$(cat "$d/code")
    [ "$code" = 0 ] || { why="the command exited $code"; break; }
  fi
  sleep 1
  left=$((left - 1))
done
mv "$d/open" "$d/reverting" 2>/dev/null || end confirmed
say "reverting $why"
[ -z "$pid" ] || kill -s KILL -- "-$pid" 2>/dev/null
restore || { say "stuck $why, and not every old file could be put back"; exit 1; }
[ -n "$pid" ] || end "rolled-back $why"
begin revert "$@"
left=60
while [ "$left" -gt 0 ] && [ ! -s "$d/code" ]; do sleep 1; left=$((left - 1)); done
if [ "$(cat "$d/code" 2>/dev/null)" = 0 ]; then end "rolled-back $why"; fi
clear
say "stuck $why; the old files are back, but the command failed with them too"
rm -f "$d/../active-guard"
`;

/** Starts the guard unless another is at work. Arguments: base, folder, seconds, command. Exits 7 where one is. */
export const startScript = `
base=$1 d=$2 seconds=$3
shift 3
command -v setsid >/dev/null || { echo "setsid is missing" >&2; exit 8; }
command -v flock >/dev/null || { echo "flock is missing" >&2; exit 8; }
exec 9>"$base/guard.lock"
# One that was confirmed just now needs a moment to notice.
flock -w 3 9 || exit 7
for other in "$base"/guard-*; do [ "$other" = "$d" ] || rm -rf "$other"; done
: >"$d/open" && echo saving >"$d/state" || exit 9
ln -sfn "$d" "$base/active-guard"
setsid sh "$d/guard" "$d" "$seconds" "$@" </dev/null >>"$d/log" 2>&1 \
  3>&- 4>&- 5>&- 6>&- 7>&- 8>&- &
`;

/** Confirms; once is enough, twice does no harm. Exits 1 where the host was faster and rolls back. */
export const confirmScript = `mv "$1/open" "$1/confirmed" 2>/dev/null || [ -e "$1/confirmed" ]`;

/** One line of state, one of the command's exit code, then the end of the log. */
export const statusScript = `cat "$1/state" && { cat "$1/code" 2>/dev/null || echo; } && tail -n 20 "$1/log" 2>/dev/null || [ -e "$1/state" ]`;

/** Waits until no guard is at work, at most the given seconds; a guard that died without a word leaves only its mark. */
export const settleScript = `
[ -e "$1/active-guard" ] || exit 0
exec 9>"$1/guard.lock"
flock -w "$2" 9 || exit 7
rm -f "$1/active-guard"
`;
