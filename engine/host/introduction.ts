import { randomBytes } from "node:crypto";
import type { Target } from "./connection.ts";

/** Where changes that could cut the connection leave word that they are under way; memory, so gone with a reboot. */
export const GUARD_BASE = "/run/run-playbook";

/** What a framed shell is recognised by among the host's processes: its first argument. */
export const CALLS_SHELL = "run-playbook-calls";

/**
 * The further arguments of a framed shell of a run that changes the host, none of them empty or with a blank: the run,
 * whose lock keeps others out, the inventory's name of the host, and one that is this connection's alone. A shell that
 * lives on below its sshd after its connection was cut is known by them.
 */
export function shellMark({ name, run }: Target, loginUser: string): readonly string[] {
  if (run === undefined) return [];
  const connection = randomBytes(6).toString("hex");
  return [run.id, run.lockedAs ?? loginUser, name, connection].map(encodeURIComponent);
}

/**
 * What a host is asked as its first shell starts. Everything but the kernel's own files may be missing: then its line
 * is empty or not there. On one line and without double backslashes, for whatever shell the login user has; with few
 * programs, for each costs as much as all of the rest.
 */
export const INTRODUCTION = [
  // As `uname -snrm` says it; the kernel tells its architecture itself since 6.1.
  `{ p=/proc/sys/kernel; if [ -r $p/arch ]; then read -r s <$p/ostype; read -r n <$p/hostname; read -r r <$p/osrelease; read -r m <$p/arch; echo "uname $s $n $r $m"; else echo "uname $(uname -snrm)"; fi`,
  `read -r b </proc/sys/kernel/random/boot_id`,
  `echo "boot $b"`,
  `while read -r k v u; do if [ "$k" = MemTotal: ]; then echo "memory $v"; break; fi; done </proc/meminfo`,
  `if read -r c </sys/devices/system/cpu/online; then echo "online $c"; else echo "cpus $(nproc)"; fi`,
  `if [ -e /sys/fs/cgroup/cgroup.controllers ]; then echo "cgroup v2"; else echo "cgroup v1"; fi`,
  `if [ -L ${GUARD_BASE}/active-guard ]; then echo "guard active"; fi`,
  // Written so that it does not find itself.
  `if grep -qs "${CALLS_SHELL.slice(0, -1)}[${CALLS_SHELL.slice(-1)}]" /proc/[0-9]*/cmdline; then echo "calls others"; fi`,
  `for f in /etc/os-release /usr/lib/os-release; do if [ -r $f ]; then while read -r l; do printf "%s\\n" "$l"; done <$f; break; fi; done; } 2>/dev/null`,
].join("; ");
