/**
 * $1 seconds per address, rest addresses: prints those that do not answer, and exits 1 if there are any. All are asked
 * at once.
 *
 * With ping where the host has it. A minimal host has none: there a TCP connection to the echo port counts, refused
 * or not, as a refusal is an answer too; and for a neighbour whose firewall is silent, that it answered neighbour
 * discovery just now (REACHABLE; an entry that is only remembered does not count).
 */
export const REACH = `# reach
export LC_ALL=C
limit=$1
shift
answers() {
  if command -v ping >/dev/null 2>&1; then
    ping -n -q -c 1 -W "$limit" -- "$1" >/dev/null 2>&1
    return
  fi
  said=$(timeout "$limit" bash -c 'exec 3<>"/dev/tcp/$1/7"' bash "$1" 2>&1) && return 0
  case $said in *refused*) return 0 ;; esac
  ip neigh show to "\${1%%%*}" 2>/dev/null | grep -q REACHABLE
}
silent=$(for peer; do { answers "$peer" || printf '%s\\n' "$peer"; } & done; wait)
[ -z "$silent" ] || { printf '%s\\n' "$silent" | sed 's/$/ does not answer/' >&2; printf '%s\\n' "$silent"; exit 1; }`;
