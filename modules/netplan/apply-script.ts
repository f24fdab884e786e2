/**
 * Makes netplan's files take effect, under a guard. Before the first time it notes what is live; when the guard goes
 * back, it applies the old files and then puts the live state back, as the old files may never have been applied.
 *
 * Arguments: the interfaces of the change. Addresses of full length stay out of it: a virtual IP may be on another host
 * by now.
 */
export const APPLY = `# netplan-apply
addresses() {
  ip -o address show scope global | while read -r _ dev _ address rest; do
    case "$address $rest" in *" peer "* | *" temporary "* | */32" "* | */128" "*) continue ;; esac
    life=\${rest##* valid_lft }
    valid=\${life%% *} preferred=\${life##* }
    printf '%s %s %s %s\\n' "$dev" "$address" "\${valid%sec}" "\${preferred%sec}"
  done
}
routes() {
  for family in 4 6; do
    ip -o -$family route show 2>/dev/null | grep -v -e ' proto kernel' -e '^unreachable' -e '^blackhole' |
      sed -e 's/\\\\/ /g' -e 's/ expires [0-9]*sec//' -e 's/ linkdown//g' -e 's/ dead//g' -e 's/[[:space:]][[:space:]]*/ /g' -e 's/ $//' -e "s/^/-$family /"
  done
}
mtus() { for dev; do read -r mtu <"/sys/class/net/$dev/mtu" && echo "$dev $mtu"; done; }
note() {
  kept=$1
  shift
  addresses >"$kept/addresses"
  routes >"$kept/routes"
  mtus "$@" >"$kept/mtus"
}
# Prints what it did, nothing where all is as it was.
put_back() {
  kept=$1
  shift
  mtus "$@" | grep -vxFf "$kept/mtus" | while read -r dev _; do
    mtu=$(sed -n "s/^$dev //p" "$kept/mtus")
    ip link set dev "$dev" mtu "$mtu" && echo "$dev mtu $mtu"
  done
  addresses | cut -d ' ' -f 1,2 >"$kept/now"
  while read -r dev address valid preferred; do
    grep -qxF "$dev $address" "$kept/now" && continue
    ip address add "$address" dev "$dev" valid_lft "$valid" preferred_lft "$preferred" && echo "+ $dev $address"
  done <"$kept/addresses"
  routes >"$kept/now"
  grep ' proto static' "$kept/now" | grep -vxFf "$kept/routes" | while read -r line; do
    set -- $line
    family=$1
    shift
    ip "$family" route delete "$@" && echo "- $line"
  done
  # One that needs another comes after it.
  for _ in 1 2; do
    routes >"$kept/now"
    grep -vxFf "$kept/now" "$kept/routes" | while read -r line; do
      set -- $line
      family=$1
      shift
      ip "$family" route append "$@" && echo "+ $line"
    done
  done
  for dev; do
    addresses | while read -r own address valid _; do
      [ "$own $valid" = "$dev forever" ] || continue
      grep -q "^$own $address " "$kept/addresses" && continue
      ip address delete "$address" dev "$own" && echo "- $own $address"
    done
  done
}
if [ "\${GUARD_STEP-}" != revert ]; then
  [ -z "\${GUARD_KEPT-}" ] || note "$GUARD_KEPT" "$@"
  exec netplan apply
fi
netplan apply
code=$?
[ -s "$GUARD_KEPT/addresses" ] || exit "$code"
# networkd goes on by itself after netplan has ended.
left=15
while [ "$left" -gt 0 ] && networkctl list --no-legend --no-pager 2>/dev/null | grep -q -e configuring -e pending -e initialized; do
  sleep 1
  left=$((left - 1))
done
quiet=0 left=10
while [ "$quiet" -lt 2 ] && [ "$left" -gt 0 ]; do
  did=$(put_back "$GUARD_KEPT" "$@" 2>/dev/null)
  if [ -z "$did" ]; then quiet=$((quiet + 1)); else quiet=0; printf 'live again: %s\\n' "$did"; fi
  sleep 1
  left=$((left - 1))
done
exit "$code"`;
