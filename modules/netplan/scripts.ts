/** What netplan runs on a host. Constant text; data comes in as positional parameters. */

/** One line per file, its content in base64: nothing in a file can pass for another file's name. */
export const FILES = `# netplan-files
for file in /etc/netplan/*.yaml /run/netplan/*.yaml /usr/lib/netplan/*.yaml /lib/netplan/*.yaml; do
  [ -f "$file" ] && printf '%s %s\\n' "$(base64 -w 0 <"$file")" "$file"
done
true`;

/** $1 interface, rest its addresses without length: each must be there, and none may be tentative or a duplicate. */
export const USABLE = `# netplan-usable
dev=$1
shift
for address; do
  [ -n "$(ip -o address show dev "$dev" to "$address")" ] || { echo "$address is not on $dev" >&2; exit 1; }
done
for state in tentative dadfailed; do
  bad=$(ip -6 -o address show dev "$dev" "$state") || exit 1
  [ -z "$bad" ] || { echo "$state on $dev: $bad" >&2; exit 1; }
done`;
