/** What remote-file runs on a host. Constant text; everything else comes in as positional parameters. */

/**
 * $1 the folder that paths in the record are relative to, $2 the record. Prints the program that can fetch, then the
 * record's url, sha256, the first file or link that is not as recorded, and how it was unpacked, one a line, empty where
 * there is none.
 */
export const STATE = `# remote-file-state
tool=none
for program in python3 wget curl; do
  if command -v "$program" >/dev/null 2>&1; then tool=$program; fi
done
printf '%s\\n' "$tool"
if [ -f "$2" ]; then
  line() { printf '%s\\n' "$(sed -n "s/^# $1 //p" "$2" | head -n 1)"; }
  line url "$2"
  line sha256 "$2"
  if cd "$1" 2>/dev/null; then
    broken=$(grep -v '^#' "$2" | LC_ALL=C sha256sum --check --quiet 2>/dev/null | head -n 1)
    tab=$(printf '\\t')
    [ -n "$broken" ] || broken=$(sed -n 's/^# link //p' "$2" | while IFS=$tab read -r path target; do
      [ "$(readlink -- "$path")" = "$target" ] || { printf '%s\\n' "$path"; break; }
    done)
  else
    broken=$1
  fi
  printf '%s\\n' "$broken"
  line unpack "$2"
fi
true`;

/**
 * $1 url, $2 sha256 or empty, $3 url of a checksum file or empty, $4 where to, $5 mode, $6 owner:group, $7 record or
 * empty. In place only after the checksum agreed.
 */
export const FETCH = `# remote-file-fetch
set -eu
url=$1 sha=$2 sums=$3 to=$4 mode=$5 owner=$6 record=$7
get() {
  if command -v curl >/dev/null; then
    curl -gfsSL --retry 3 --connect-timeout 15 --speed-limit 1000 --speed-time 60 -o "$2" -- "$1"
  elif command -v wget >/dev/null; then
    wget -q --tries=3 --timeout=60 -O "$2" -- "$1" || { echo "wget failed on $1" >&2; return 1; }
  else
    python3 -c 'import shutil, sys, urllib.request
with urllib.request.urlopen(sys.argv[1], timeout=60) as source, open(sys.argv[2], "wb") as to:
    shutil.copyfileobj(source, to)' "$1" "$2"
  fi
}
mkdir -p "\${to%/*}/"
part=$(mktemp "$to.XXXXXX")
trap 'rm -f "$part"' EXIT
if [ -z "$sha" ]; then
  get "$sums" "$part"
  # Either a bare checksum, or lines of "<sha256>  <file>".
  name=\${url##*/}
  sha=$(awk -v name="$name" '{ sub(/^[*]/, "", $2); sub(/.*\\//, "", $2) } NF == 1 || $2 == name { print $1; exit }' "$part")
  if [ -z "$sha" ]; then echo "$sums has no line for $name" >&2; exit 65; fi
fi
get "$url" "$part"
is=$(sha256sum <"$part"); is=\${is%% *}
if [ "$is" != "$sha" ]; then
  echo "the sha256 of $url is $is, expected $sha" >&2
  exit 65
fi
chmod "$mode" "$part"
chown "$owner" "$part"
sync "$part"
mv -f "$part" "$to"
if [ -n "$record" ]; then
  mkdir -p "\${record%/*}"
  printf '# url %s\\n# sha256 %s\\n%s  ./%s\\n' "$url" "$sha" "$sha" "\${to##*/}" >"$record.new"
  mv -f "$record.new" "$record"
fi`;

/** The paths of a record, $1: of files, then of links. */
const PATHS = `
tab=$(printf '\\t')
paths() {
  { grep -v '^#' "$1" || true; } | cut -c67-
  sed -n "s/^# link \\([^$tab]*\\)$tab.*/\\1/p" "$1"
}`;

/**
 * $1 archive (removed afterwards), $2 folder, $3 leading path parts to strip, $4 record, $5 url or empty, $6 how it is
 * unpacked, for the record, rest the members, all when none. Each file is renamed into place, so a program that runs keeps
 * the file it has open; what the last version had and this one has not is removed, links too.
 */
export const UNPACK = `# remote-file-unpack
set -eu
archive=$1 to=$2 strip=$3 record=$4 url=$5 how=$6
shift 6${PATHS}
mkdir -p "$to" "\${record%/*}"
stage=$(mktemp -d "$to/.unpack.XXXXXX")
trap 'rm -rf "$stage"' EXIT
sha=$(sha256sum <"$archive"); sha=\${sha%% *}
tar -xf "$archive" -C "$stage" --no-same-owner --strip-components="$strip" -- "$@"
cd "$stage"
odd=$(find . -name '*[[:cntrl:]\\\\]*' -o -lname '*[[:cntrl:]]*' | head -n 1)
[ -z "$odd" ] || { echo "a name in the archive holds a control character or \\\\: $odd" >&2; exit 65; }
{
  printf '# url %s\\n# sha256 %s\\n# unpack %s\\n' "$url" "$sha" "$how"
  find . -type f -exec sha256sum {} +
  find . -type l | while IFS= read -r path; do
    printf '# link %s\\t%s\\n' "$path" "$(readlink -- "$path")"
  done
} >"$record.new"
find . -mindepth 1 -type d | while IFS= read -r path; do mkdir -p "$to/$path"; done
find . ! -type d | while IFS= read -r path; do mv -fT "$path" "$to/$path"; done
if [ -f "$record" ]; then
  paths "$record" | while IFS= read -r path; do
    if ! paths "$record.new" | grep -qxF -- "$path"; then rm -f "$to/$path"; fi
  done
fi
mv -f "$record.new" "$record"
rm -f "$archive"`;

/** $1 folder, $2 record: removes what was unpacked, and the record. */
export const CLEAR = `# remote-file-clear
set -eu${PATHS}
cd "$1"
paths "$2" | while IFS= read -r path; do rm -f "$path"; done
rm -f "$2"`;
