import type { CgroupLayout } from "../machine/cgroups.ts";
import type { HostPaths } from "../state/paths.ts";
import { keeperCommand } from "./keeper.ts";

/** What running a host needs. */
export interface Launch {
  /** nspawn machine and network namespace: one name for both. */
  readonly machine: string;
  readonly host: string;
  readonly base: string;
  readonly paths: HostPaths;
  readonly cgroups: CgroupLayout;
}

// Folders that hold overlays of their own (overlay on overlay is refused) or want a plain file system.
const PLAIN_FOLDERS = ["containerd", "kubelet", "etcd"] as const;

// Runs in a mount namespace of its own: the machine never sees these mounts, and when the host's last process ends the
// kernel takes them and the loop device away, however it ended. Ends as systemd-nspawn.
const BOOT = `
set -eu
image=$1 base=$2 seed=$3 disk=$4 root=$5 netns=$6; shift 6
mount -o loop,discard "$image" "$disk"
mkdir -p "$disk/upper" "$disk/work"
for folder in ${PLAIN_FOLDERS.join(" ")}; do
  [ -d "$disk/$folder" ] || mkdir -m 700 "$disk/$folder"
done
mount -t overlay overlay -o "lowerdir=$base,upperdir=$disk/upper,workdir=$disk/work" "$root"
if [ ! -e "$disk/seeded" ]; then
  cp -a "$seed/." "$root/"
  if [ -e "$seed.password" ]; then chroot "$root" chpasswd <"$seed.password"; fi
  : >"$disk/seeded"
fi
exec nsenter --net="/run/netns/$netns" -- "$@"`;

/**
 * The program that is the host, from mounting its disk on. nspawn starts inside the host's network namespace: with its
 * own --network-namespace-path, /sys would show the machine's devices and `netplan apply` would hang in udev.
 */
export function launchCommand(launch: Launch): [string, ...string[]] {
  const { paths, machine, base, host, cgroups } = launch;
  const folders = [paths.image, base, paths.seed, paths.disk, paths.root];
  const boot = ["sh", "-c", BOOT, "sh", ...folders, machine, ...nspawnCommand(launch)];
  return keeperCommand({ cgroups, image: paths.image, replug: paths.replug }, { host, boot });
}

/** Everything that nspawn is told through its environment, and nothing of the caller's. */
export const launchEnvironment = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  // /proc/sys and /sys writable: a host sets its own net.* keys.
  SYSTEMD_NSPAWN_API_VFS_WRITABLE: "yes",
  // Its lock files would outlive a killed host; the lab has a lock of its own.
  SYSTEMD_NSPAWN_LOCK: "0",
} as const;

function nspawnCommand({ machine, host, paths }: Launch): string[] {
  return [
    "systemd-nspawn",
    "--quiet",
    "--register=no",
    "--keep-unit",
    `--machine=${machine}`,
    `--hostname=${host}`,
    "--resolv-conf=off",
    "--capability=all",
    "--system-call-filter=@keyring bpf",
    "--bind=/dev/kmsg",
    "--bind=/dev/net/tun",
    ...PLAIN_FOLDERS.map((folder) => `--bind=${paths.disk}/${folder}:/var/lib/${folder}`),
    `--directory=${paths.root}`,
    "--boot",
  ];
}

/** The argument by which a host's keeper and nspawn are found among all processes. */
export const machineArgument = (machine: string): string => `--machine=${machine}`;
