import type { Lab } from "#lab/lab.ts";

// What differs on every fresh host, or tells only when something was looked at.
const VOLATILE = [
  "/etc/machine-id",
  "/etc/ssh/ssh_host_*",
  "/etc/*-",
  "/etc/.pwd.lock",
  "/etc/.updated",
  "/etc/ld.so.cache",
  // With the day of the last change; the lab's own key.
  "/etc/shadow",
  "/root/.ssh/authorized_keys",
  "/home/ops*/.ssh/authorized_keys",
];

const STATE = `
find /etc /home /root /srv /var/lib/life -xdev \\( ${VOLATILE.map((path) => `-path '${path}'`).join(" -o ")} \\) -prune -o -print0 2>/dev/null |
  sort -z | while IFS= read -r -d '' path; do
    line=$(stat -c '%A %U %G %N' "$path")
    case $line in -*) line="$line $(sha256sum <"$path")" ;; esac
    echo "$line"
  done
find / -xdev \\( -name '.pb-*' -o -name '*.guard-new' \\) -printf 'left behind: %p\\n'
getent passwd; getent group
sed -E 's/^([^:]*:.?)[^:]*:.*/\\1/' /etc/shadow
dpkg-query -W -f '\${Package} \${Version} \${db:Status-Status}\\n'
dpkg --audit
cat /proc/sys/kernel/hostname
sysctl net.ipv6.conf.all.forwarding net.ipv6.conf.eth0.accept_ra
ip -o -6 address show dev eth0 scope global | sed 's/ *valid_lft.*//; s/^[0-9]*: //'
ip -6 route show default | sed 's/ pref.*//'
systemctl list-unit-files --no-legend --state=enabled
systemctl list-units --no-legend --plain --state=failed
systemctl show -p ActiveState,SubState,NeedDaemonReload life.service
pgrep -fc '[s]leep infinity'
ls /run/run-playbook | sed -n 's/^guard-.*/guard/p'
true`;

/** What a playbook can make of a host, a line each: files, users, packages, addresses, units, leftovers. */
export async function hostState(lab: Lab, host: string): Promise<string[]> {
  const { code, stdout, stderr } = await lab.exec(host, ["bash", "-c", STATE], { seconds: 60 });
  if (code !== 0) throw new Error(`${host}: exit ${code}\n${stderr}`);
  return stdout.trimEnd().split("\n");
}
