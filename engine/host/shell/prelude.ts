import { lookFunction } from "./look-work.ts";
import { MOVE } from "./move.ts";

// Run in a subshell. A file is written beside its place under a name that nobody can guess, flushed and renamed;
// whatever goes wrong, the file beside is removed.
const files = `\
_pb_stat() {
  stat -c '%f %u %U %g %G %s' -- "$1" || return 1
  if [ -L "$1" ]; then readlink -n -- "$1"; fi
}
_pb_write() {
  if [ -d "$1" ]; then echo "$1: Is a directory" >&2; exit 1; fi
  _w=$2; trap 'rm -f -- "$_w"' EXIT; trap 'exit 143' TERM HUP INT
  umask 077; set -C
  cat >"$2" || exit 1
  [ "$(stat -c %s -- "$2")" = "$5" ] || { echo "$1: Input/output error" >&2; exit 1; }
  _pb_place "$@"
}
_pb_place() {
  if [ -n "$4" ]; then chown -- "$4" "$2" || exit 1; fi
  chmod -- "$3" "$2" || exit 1
  sync -- "$2" || exit 1
  _pb_move "$2" "$1" || exit 1
  trap - EXIT
  _d=\${1%/*}; sync -- "\${_d:-/}" || :
}
`;

// What goes into a command's standard input. A decoder that is ended on the way leaves a part, which the command must not
// take for the whole: it is ended before it can see the end of its input. A command that reads no further is no fault.
const feeding = `\
_pb_feed() {
  exec 9>&1
  _f=$({ { printf %s "$1"; printf p$? >&7; } | { base64 -d >&8; printf b$? >&7; }; } 7>&1 8>&9)
  case $_f in p0b0|b0p0|*b1p*|*b1|*b141*) return ;; esac
  read -r _m _ </proc/self/stat
  _pb_tree "$$"
  _t=\${_t#" $$ "}; _t=" $_t"; _t="\${_t%%" $_m "*} \${_t#*" $_m "}"
  _pb_kill
  echo "its standard input did not arrive whole, so it was ended" >&3
}
`;

// Ends all that runs below a process, found by /proc, with the process groups that it leads: TERM, two seconds of
// grace, KILL.
const ending = `\
_pb_tree() {
  _t=" $1 "; _n=
  while [ "$_n" != "$_t" ]; do
    _n=$_t
    for _f in /proc/[0-9]*/stat; do
      read -r _x <"$_f" || continue
      _i=\${_f#/proc/}; _i=\${_i%/stat}
      set -- \${_x##*) }
      case $_t in
        *" $_i "*) ;;
        *" $2 "*) _t="$_t$_i " ;;
      esac
    done
  done
}
_pb_lives() {
  read -r _x <"/proc/$1/stat" || return 1
  case \${_x##*) } in Z*) return 1 ;; esac
}
_pb_signal() {
  for _i in $_t; do kill "-$1" "-$_i"; kill "-$1" "$_i"; done
}
_pb_kill_below() {
  _pb_tree "$1"
  _t=\${_t#" $1 "}
  _pb_kill
}
_pb_kill() {
  _pb_signal TERM
  _k=0
  while [ "$_k" -lt 20 ]; do
    _a=; for _i in $_t; do _pb_lives "$_i" && _a=1; done
    [ -n "$_a" ] || break
    sleep 0.1; _k=$((_k + 1))
  done
  _pb_signal KILL
  return 0
}
`;

/**
 * What a framed shell is told once, before any request. Only POSIX sh, coreutils and /proc; setsid (util-linux,
 * busybox) where it is there.
 *
 * - The shell's own stderr goes to /dev/null and commands get the real one as fd 3: bash would print "Killed" with
 *   the whole command line, stdin payload included, into somebody's stderr.
 * - `_pb_b` begins a frame, unless TERM asked the shell to stop: then it says so and ends.
 * - `_pb_e` ends a frame on both streams. Where the command has a process group of its own, it tells whether something
 *   of it still lives and may write into the next call's output: then this shell stops too.
 */
export const prelude = `\
exec 3>&2 2>/dev/null
umask 022
cd /
PATH=\${PATH:-/usr/local/bin:/usr/bin:/bin}:/usr/local/sbin:/usr/sbin:/sbin; LC_ALL=C.UTF-8; export PATH LC_ALL
unset CDPATH ENV BASH_ENV LANGUAGE
_q=; trap '_q=1' TERM
_s=; command -v setsid >/dev/null && _s=setsid
_pb_b() {
  if [ -n "$_q" ]; then printf '\\001%sQ\\n' "$1"; exit 0; fi
}
_pb_e() {
  _p=$!
  wait "$_p"; _c=$?
  while [ "$_c" -gt 128 ] && kill -0 "$_p"; do wait "$_p"; _c=$?; done
  _l=0; [ -n "$2" ] && [ -n "$_s" ] && kill -0 "-$_p" && _l=1 && _q=1
  printf '\\001%sE\\n' "$1" >&3
  printf '\\001%sE %s %s\\n' "$1" "$_c" "$_l"
}
${MOVE}${files}${lookFunction}${ending}${feeding}`;
