/** What the Debian root of every host is made of. Its hash names the cached result, so a change here is a new base. */
export const baseRecipe = {
  suite: "trixie",
  components: "main",
  // And what these depend on, nothing else: the rest arrives by a playbook's steps.
  packages: [
    "systemd",
    "systemd-sysv",
    "dbus",
    "udev",
    "openssh-server",
    "netplan.io",
    "sudo",
    "iproute2",
  ],
  users: [
    { name: "ops", sudo: "NOPASSWD: ALL" },
    { name: "opspw", sudo: "ALL" },
  ],
  /**
   * Units that would reach beyond the host, or that a host made by the lab has no use for: binfmt is the machine's, host
   * keys and machine id come from the lab, apt's own timers would take the package lock at random.
   */
  masked: [
    "systemd-binfmt.service",
    "proc-sys-fs-binfmt_misc.automount",
    "proc-sys-fs-binfmt_misc.mount",
    "sys-kernel-debug.mount",
    "sys-kernel-tracing.mount",
    "sys-kernel-config.mount",
    "sys-fs-fuse-connections.mount",
    "dev-hugepages.mount",
    "systemd-pstore.service",
    "systemd-firstboot.service",
    "systemd-machine-id-commit.service",
    "sshd-keygen.service",
    "console-getty.service",
    "getty@tty1.service",
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "fstrim.timer",
  ],
  files: {
    // Coldplug of the host's own network cards only: the other devices in /sys are the machine's.
    "etc/systemd/system/systemd-udev-trigger.service.d/lab.conf": `[Service]
ExecStart=
ExecStart=-udevadm trigger --type=all --action=add --subsystem-match=net
`,
    // Only net.* is the host's own: the machine's kernel.* and vm.* would be written with it.
    "etc/systemd/system/systemd-sysctl.service.d/lab.conf": `[Service]
ExecStart=
ExecStart=/usr/lib/systemd/systemd-sysctl --prefix=/net
`,
    // cgroup v1 controllers are mounted read-only in a container; containerd and kubelet write to them.
    "etc/systemd/system/lab-cgroups.service": `[Unit]
Description=Make the host's own cgroup v1 controllers writable
DefaultDependencies=no
Before=sysinit.target
ConditionPathIsMountPoint=/sys/fs/cgroup/memory

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=sh -c 'for d in /sys/fs/cgroup/*/; do mount -o remount,bind,rw "$$d" || exit 1; done'
`,
  },
  enabled: [["lab-cgroups.service", "sysinit.target"]],
} as const;
