/** What apt and apt-source run on a host. Constant text; packages come in as positional parameters. */

/** Prints the age of the package lists in seconds; -1 where there are none, or where a source is younger. */
export const STATE = `# apt-lists-age
newest=0
for mark in /var/lib/run-playbook/apt-updated /var/lib/apt/periodic/update-success-stamp; do
  at=$(stat -c %Y "$mark" 2>/dev/null || echo 0)
  if [ "$at" -gt "$newest" ]; then newest=$at; fi
done
set -- /var/lib/apt/lists/*_*
if [ ! -e "$1" ] || [ "$newest" = 0 ]; then echo -1; exit 0; fi
for source in /etc/apt/sources.list /etc/apt/sources.list.d /etc/apt/sources.list.d/*; do
  at=$(stat -c %Y "$source" 2>/dev/null || echo 0)
  if [ "$at" -ge "$newest" ]; then echo -1; exit 0; fi
done
echo $(($(date +%s) - newest))`;

// apt waits for dpkg's lock by itself, but not for that of the package lists.
const COMMON = `export DEBIAN_FRONTEND=noninteractive LC_ALL=C
lock=$1 mode=$2
shift 2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
patiently() {
  until=$(($(date +%s) + lock))
  while ! "$@" >"$log" 2>&1; do
    # The second is dpkg's own, where it is called without apt.
    if ! grep -qE 'Could not get lock|lock was locked by ' "$log" || [ "$(date +%s)" -ge "$until" ]; then
      grep -E '^(E|W):|[Ee]rror|dpkg:' "$log" >&2 || tail -n 15 "$log" >&2
      exit 100
    fi
    sleep 2
  done
}
# Else apt takes a name that no package has for a pattern: python3. for all whose names hold that and a character more.
names=APT::Cmd::Pattern-Only=true
get() { patiently apt-get -q -y -o "$names" -o "DPkg::Lock::Timeout=$lock" -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"; }
# A run that was cut in the middle of dpkg leaves it asking for this.
if [ -n "$(dpkg --audit)" ]; then patiently dpkg --configure -a --force-confdef --force-confold; fi`;

/** Of the given names, prints those that an installed package provides and for which apt would install nothing. */
export const PROVIDED = `# apt-provided
export LC_ALL=C
provides=$(dpkg-query --show --showformat='\${db:Status-Status} \${Provides}\\n') || exit
for name; do
  printf '%s\\n' "$provides" | sed -n 's/^installed //p' | tr ', ' '\\n\\n' | grep -qxF -- "$name" || continue
  would=$(apt-get -q -s --no-install-recommends install -- "$name" 2>/dev/null) || continue
  printf '%s\\n' "$would" | grep -q '^Inst ' || printf '%s\\n' "$name"
done`;

/** $1 seconds for locks, $2 update or cached, rest packages. */
export const INSTALL = `# apt-install
${COMMON}
fresh() {
  get -o APT::Update::Error-Mode=any update
  mkdir -p /var/lib/run-playbook
  touch /var/lib/run-playbook/apt-updated
}
if [ "$mode" = update ]; then fresh; fi
# Lists that are young enough may still be older than the wanted version.
if [ "$mode" = cached ] && ! apt-get -q -s -o "$names" --no-install-recommends --allow-downgrades install -- "$@" >/dev/null 2>&1; then fresh; fi
get --no-install-recommends --allow-downgrades install -- "$@"`;

/** $1 seconds for locks, $2 remove or purge, rest packages. */
export const REMOVE = `# apt-remove
${COMMON}
get "$mode" -- "$@"`;

/**
 * $1 seconds for locks, $2 remove or purge, rest packages; on standard input what was there before they came, as
 * "installed NAME". What came with them and nobody else needs goes too; nothing of others ever does.
 */
export const TAKE_AWAY = `# apt-take-away
${COMMON}
was=$(mktemp)
trap 'rm -f "$log" "$was"' EXIT
sed -n 's/^installed //p' >"$was"
going() { apt-get -q -s -o "$names" "$@" | sed -n 's/^\\(Remv\\|Purg\\) \\([^ :]*\\).*/\\2/p'; }
others=$(going "$mode" -- "$@" | grep -vxF "$(printf '%s\\n' "$@")")
if [ -n "$others" ]; then
  echo "E: still needed by" $others >&2
  exit 65
fi
unneeded=$(going autoremove)
came=
[ ! -s "$was" ] || came=$(going --auto-remove "$mode" -- "$@" | grep -vxF -f "$was" | grep -vxF "$(printf '%s\\n' "$unneeded" "$@")")
get "$mode" -- "$@"
[ -z "$came" ] || get purge -- $came`;
