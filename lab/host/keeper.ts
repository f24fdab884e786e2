import type { CgroupLayout } from "../machine/cgroups.ts";

/** nspawn's exit code when the host inside asked for a reboot and whoever started nspawn shall start it again. */
const REBOOT = 133;

/** What a keeper needs besides the program that boots the host. */
export interface Keeping {
  readonly cgroups: CgroupLayout;
  /** Disk image, that must be unused before the next boot. */
  readonly image: string;
  /** Script that gives the host a fresh network; read at each boot, for faults change what it does. */
  readonly replug: string;
}

// One per host: boots it, and boots it again when it reboots from inside. On cgroup v2 a group that hands controllers
// down may hold no process, so the keeper stands aside in a group of its own and each boot gets a new one.
const SCRIPT = `
set -u
version=$1 image=$2 replug=$3; shift 3
groups=
while [ "$1" != -- ]; do groups="$groups $1"; shift; done
shift
if [ "$version" = v2 ]; then
  top=\${groups# }
  mkdir -p "$top/keeper" && echo 0 >"$top/keeper/cgroup.procs" || exit 1
  for controller in $(cat "$top/cgroup.controllers"); do
    echo "+$controller" >"$top/cgroup.subtree_control"
  done
fi
join() {
  mkdir -p "$1" || return
  for key in cpuset.cpus cpuset.mems; do
    if [ -e "$1/$key" ] && [ -z "$(cat "$1/$key")" ]; then cat "\${1%/*}/$key" >"$1/$key"; fi
  done
  echo 0 >"$1/cgroup.procs"
}
boot=0
while :; do
  boot=$((boot + 1))
  (
    for group in $groups; do
      [ "$version" = v1 ] || group=$group/boot-$boot
      join "$group" || exit 1
    done
    exec unshare --mount --propagation slave -- "$@"
  )
  code=$?
  [ "$code" = ${REBOOT} ] || exit "$code"
  if [ "$version" = v2 ]; then find "$top/boot-$boot" -depth -type d -exec rmdir {} + ; fi
  sh -e "$replug" || exit 1
  tries=0
  while [ -n "$(losetup -j "$image")" ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 200 ] || { echo "$image is still in use"; exit 1; }
    sleep 0.05
  done
done`;

/** The command that keeps a host running, given the program that boots it once. */
export function keeperCommand(
  { cgroups, image, replug }: Keeping,
  { host, boot }: { host: string; boot: readonly string[] },
): [string, ...string[]] {
  const { version, groups } = cgroups;
  const keeper = ["-c", SCRIPT, "sh", version, image, replug, ...groups, "--", ...boot];
  const scope = cgroups.version === "v2" ? cgroups.scope : undefined;
  if (scope === undefined) return ["sh", ...keeper];
  return [
    ...(["systemd-run", "--scope", "--quiet", "--collect", "--slice=machine.slice"] as const),
    ...[`--unit=${scope}`, `--description=Lab host ${host}`, "--property=Delegate=yes", "--"],
    "sh",
    ...keeper,
  ];
}
