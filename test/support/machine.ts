/** What `npm test` does first: installs the Debian packages that tests need on this machine, besides the lab's own. */
import { lineProgress } from "#lab/lines.ts";
import { ensurePackages } from "#lab/machine/packages.ts";

await ensurePackages({ yes: true }, lineProgress(process.stderr), {
  // A real sshd for the transport, started by the tests themselves on loopback.
  "openssh-server": ["/usr/sbin/sshd"],
  "openssh-client": ["/usr/bin/ssh-agent"],
  openssl: ["/usr/bin/openssl"],
  sudo: ["/usr/bin/sudo"],
  busybox: ["/usr/bin/busybox", "/bin/busybox"],
  git: ["/usr/bin/git"],
  iproute2: ["/usr/sbin/ip", "/sbin/ip", "/usr/bin/ip"],
  "util-linux": ["/usr/bin/unshare"],
});
