/** What keeps and finds the records of undo on a host. Constant text; all else comes in as positional parameters. */

// Whoever acts keeps what is his: what root found may be of no one else's business.
const BASE = `home=/var/lib
[ "$(id -u)" = 0 ] || home=$HOME/.local/state
base=\${XDG_STATE_HOME:-$home}/run-playbook/undo`;

/**
 * $1 run, $2 file, $3 how many runs are kept, $4 KiB that one run's may take; the record on standard input. On the disk,
 * its folder too, once this exits 0.
 */
export const KEEP = `# undo-keep
umask 077
run=$1 file=$2 runs=$3 limit=$4
${BASE}
if [ ! -d "$base/$run" ]; then
  (umask 022; mkdir -p "\${base%/*}") && mkdir -p "$base" && chmod 700 "$base" && mkdir "$base/$run" || exit 1
  # Names of runs sort by time.
  ls -1 "$base" | LC_ALL=C sort -r | tail -n +$((runs + 1)) | while IFS= read -r old; do
    rm -rf "\${base:?}/\${old:?}"
  done
  sync "$base"
fi
if [ "$(du -sk "$base/$run" | cut -f 1)" -ge "$limit" ]; then
  echo "the records of this run take more than $limit KiB" >&2
  exit 9
fi
part=$base/$run/$file.part
trap 'rm -f "$part"' EXIT
cat >"$part" && sync "$part" && mv -f "$part" "$base/$run/$file" && sync "$base/$run"`;

/** $1 run, $2 file: prints the record. */
export const FIND = `# undo-find
${BASE}
cat -- "$base/$1/$2"`;
