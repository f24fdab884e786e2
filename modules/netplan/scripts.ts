/** What netplan runs on a host. Constant text; data comes in as positional parameters. */

/**
 * One line per file, its content in base64: nothing in a file can pass for another file's name. Then one per interface
 * with its driver, where a file asks for drivers; and what netplan's own generator says where it refuses the files, as it
 * would at the next boot.
 */
export const FILES = `# netplan-files
asks=
for file in /etc/netplan/*.yaml /run/netplan/*.yaml /usr/lib/netplan/*.yaml /lib/netplan/*.yaml; do
  [ -f "$file" ] || continue
  printf '%s %s\\n' "$(base64 -w 0 <"$file")" "$file"
  grep -q driver "$file" && asks=1
done
[ -z "$asks" ] || for dev in /sys/class/net/*; do
  name=\${dev##*/}
  driver=$(sed -n 's/^E:ID_NET_DRIVER=//p' "/run/udev/data/n$(cat "$dev/ifindex")" 2>/dev/null)
  [ -n "$driver" ] || driver=$(readlink "$dev/device/driver")
  [ -z "$driver" ] || printf 'driver %s %s\\n' "$name" "\${driver##*/}"
done
for generate in /usr/libexec/netplan/generate /lib/netplan/generate; do
  [ -x "$generate" ] || continue
  root=$(mktemp -d) || exit 1
  for folder in etc run usr/lib lib; do
    [ -d "/$folder/netplan" ] || continue
    [ "$folder" = lib ] && [ -L /lib ] && continue
    mkdir -p "$root/$folder" && cp -Lpr "/$folder/netplan" "$root/$folder/"
  done
  said=$("$generate" --root-dir "$root" 2>&1) || printf 'refused %s\\n' "$(printf '%s' "$said" | sed "s|$root||g" | base64 -w 0)"
  rm -rf "$root"
  break
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
