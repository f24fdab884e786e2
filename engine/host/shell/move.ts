/**
 * `_pb_move BESIDE PATH` puts a file that is complete in its place. POSIX sh; the umask keeps copies private.
 *
 * Nothing is renamed over a file that is itself a mount point, as /etc/hosts is in a container: the kernel says EBUSY,
 * and then the content is written into the file that is mounted, compared, and flushed. What was in it is kept beside
 * until then, and comes back where that fails; only a power cut in between leaves a part. Asked of no mount beforehand:
 * that costs each write a look at a table, and the answer of rename(2) is the one that counts.
 */
export const MOVE = `\
_pb_move() {
  mv -f -- "$1" "$2" 2>/dev/null && return 0
  _e=$(mv -f -- "$1" "$2" 2>&1) && return 0
  case $_e in *"esource busy"*) ;; *) printf "%s\\n" "$_e" >&2; return 1 ;; esac
  if [ ! -f "$2" ] || [ -L "$2" ]; then printf "%s\\n" "$_e" >&2; return 1; fi
  trap "" TERM HUP INT
  cp -- "$2" "$1.was" || { rm -f -- "$1.was"; return 1; }
  if _e=$({ cat -- "$1" >|"$2" && cmp -- "$1" "$2" && sync -- "$2"; } 2>&1); then
    chown -- "$(stat -c %u:%g -- "$1")" "$2" && chmod -- "$(stat -c %a -- "$1")" "$2" || return 1
    rm -f -- "$1" "$1.was"
    return 0
  fi
  if cmp -s -- "$1.was" "$2" || { cat -- "$1.was" >|"$2" && sync -- "$2"; } 2>/dev/null; then rm -f -- "$1.was"
  else _e="$2: it is damaged, and what was in it is in $1.was"; fi
  printf "%s\\n" "$_e" >&2
  return 1
}
`;
