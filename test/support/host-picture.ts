/**
 * What a lab host is like, line by line, so that two pictures show what differs: files that configure it, users,
 * packages, units, kernel parameters, addresses. Time-stamps and caches are left out.
 */
export const PICTURE = `
cd /
find etc home srv root/.ssh usr/local -xdev ! -name '*-' ! -name '*.cache' ! -path 'etc/.pwd.lock' \\
  ! -path 'etc/.updated' -printf '%p %y %m %u %g %l\\n' 2>/dev/null | sort
find etc home srv root/.ssh usr/local -xdev -type f ! -name '*-' ! -name '*.cache' -exec sha256sum {} + 2>/dev/null | sort -k 2
getent passwd; getent group
dpkg-query --show --showformat='\${Package} \${Version} \${db:Status-Status}\\n'
systemctl list-unit-files --no-legend --no-pager | awk '{ print "unit-file", $1, $2 }'
systemctl list-units --type=service --no-legend --no-pager --plain --state=active | awk '{ print "active", $1 }' | sort
for key in net.ipv6.conf.all.forwarding net.ipv6.conf.eth0.accept_ra net.ipv4.tcp_rmem kernel.hostname; do
  printf '%s = %s\\n' "$key" "$(cat "/proc/sys/$(echo "$key" | tr . /)")"
done
ip -o address show scope global | awk '{ print $2, $4 }' | sort
ip -6 route show default`;
