import type { ErrorSpecs } from "../spec.ts";

/** A host that cannot be reached, trusted or spoken to; and what goes wrong in one call on it. */
export const transportErrors = {
  PB_ADDRESS_INVALID: {
    message: (text: string, why: string) => `"${text}" is not a host address: ${why}.`,
    hint: "Give a name, 2001:db8::1, fe80::1%eth0, or with a port [2001:db8::1]:22.",
  },
  PB_CONNECT_REFUSED: {
    message: (where: string) => `${where} refused the connection: nothing listens there.`,
    hint: "Check the port in the inventory, and that sshd runs on the host.",
  },
  PB_CONNECT_UNREACHABLE: {
    message: (where: string, why: string) => `${where} cannot be reached: ${why}.`,
    hint: "Check the address, the route to it (ip -6 route get …) and firewalls on the way.",
  },
  PB_CONNECT_UNRESOLVED: {
    message: (name: string, why: string) => `The name ${name} has no address: ${why}.`,
    hint: "Check the spelling, DNS, or give the address in the inventory.",
  },
  PB_CONNECT_SILENT: {
    message: (where: string, seconds: number) =>
      `${where} accepted the connection and then said nothing for ${seconds} s.`,
    hint: "Something other than sshd may listen there, or the host is overloaded: look at its console.",
  },
  PB_CONNECT_NOT_SSH: {
    message: (where: string, why: string) => `${where} does not speak SSH: ${why}.`,
    hint: "Check the port in the inventory: another service answers there.",
  },
  PB_CONNECT_DROPPED: {
    message: (where: string, attempts: number) =>
      `${where} hung up before the handshake, ${attempts} times.`,
    hint: "sshd sheds connections (MaxStartups), a firewall or hosts.deny cuts them, or sshd is restarting: look at its log, lower --forks.",
  },
  PB_CONNECT_TURNED_AWAY: {
    message: (where: string, seconds: number, said: string) =>
      `${where} turned this machine away for ${seconds} s; it says "${said}".`,
    hint: "Wait until the host lets users in again, then run again; `journalctl -u ssh` on the host says why it does not.",
  },
  PB_CONNECT_NO_COMMON: {
    message: (where: string, why: string) => `${where} and this side share no algorithm: ${why}.`,
    hint: "Allow curve25519-sha256, ssh-ed25519 and aes128-gcm@openssh.com in the host's sshd_config; post-quantum-only servers are not supported.",
  },
  PB_AUTH_FAILED: {
    message: (user: string, where: string, tried: readonly string[]) =>
      `${where} let ${user} in with none of: ${tried.join(", ") || "(no key found)"}.`,
    hint: "Put the public key into ~/.ssh/authorized_keys of that user, or name the right identityFile.",
  },
  PB_KEY_UNREADABLE: {
    message: (path: string, why: string) => `The private key ${path} cannot be used: ${why}.`,
    hint: "Give the path of an OpenSSH or PEM private key that this user may read.",
  },
  PB_KEY_ENCRYPTED: {
    message: (path: string) => `The private key ${path} is encrypted, and no agent holds it.`,
    hint: "Run `ssh-add` with that path first: the agent at SSH_AUTH_SOCK is used.",
  },
  PB_HOST_KEY_UNKNOWN: {
    message: (host: string, key: string, files: readonly string[]) =>
      `The host key of ${host} (${key}) is in none of ${files.join(", ")}.`,
    hint: 'Compare the fingerprint on the host\'s console and add it with ssh-keyscan, or set hostKeys: "accept-new".',
  },
  PB_HOST_KEY_CHANGED: {
    message: (host: string, key: string, at: string) =>
      `${host} shows the host key ${key}, but ${at} holds another one.`,
    hint: "Either the host was reinstalled (then remove that line: ssh-keygen -R), or somebody is in between.",
  },
  PB_HOST_KEY_REVOKED: {
    message: (host: string, key: string, at: string) =>
      `The host key of ${host} (${key}) is revoked by ${at}.`,
    hint: "Give the host a new key before anything is sent to it.",
  },
  PB_HOST_KEY_CERTIFICATE: {
    message: (host: string, at: string) =>
      `${host} is trusted only by a certificate authority (${at}), and OpenSSH certificates are not supported.`,
    hint: "Add the host's plain key to known_hosts beside the @cert-authority line.",
  },
  PB_KNOWN_HOSTS_UNUSABLE: {
    message: (path: string, why: string) => `The known_hosts file ${path} cannot be used: ${why}.`,
    hint: "Check its path and permissions; without it no host can be trusted.",
  },
  PB_SSH_CONFIG_INVALID: {
    message: (path: string, why: string) => `${path} cannot be read as ssh_config: ${why}.`,
    hint: "Check it with `ssh -G HOST`.",
  },
  PB_SSH_CONFIG_UNSUPPORTED: {
    message: (host: string, what: string) =>
      `ssh_config sets ${what} for ${host}, which is not supported.`,
    hint: "Use ProxyJump, or give address, port and jump in the inventory.",
  },
  PB_JUMP_FAILED: {
    message: (jump: string, why: string) => `The way through ${jump} failed: ${why}`,
    hint: "Check that the jump host can be reached and may forward (AllowTcpForwarding).",
  },
  PB_CONNECTION_LOST: {
    message: (host: string, why: string) => `The connection to ${host} was lost: ${why}.`,
    hint: "Look at the host's console and network, then run again: what was done is found done.",
  },
  PB_CHANNELS_EXHAUSTED: {
    message: (host: string, seconds: number) =>
      `${host} opened no further session within ${seconds} s.`,
    hint: "Raise MaxSessions in its sshd_config (10 is usual), or run fewer long steps at a time there.",
  },
  PB_SHELL_FAILED: {
    message: (host: string, why: string) => `No POSIX sh could be started on ${host}: ${why}.`,
    hint: "The login user needs a login shell that can run `sh`.",
  },
  PB_TIMEOUT: {
    message: (what: string, seconds: number) => `${what} did not finish within ${seconds} s.`,
    hint: "Look at what it waits for on the host, or give the step a longer timeout.",
  },
  PB_INTERRUPTED: {
    message: (what: string) => `${what} was interrupted.`,
    hint: "Run again: what was done is found done.",
  },
  PB_OUTPUT_TOO_LARGE: {
    message: (what: string, mebibytes: number) => `${what} printed more than ${mebibytes} MiB.`,
    hint: "Fetch large content with a download instead, or narrow what is printed.",
  },
  PB_SUDO_REFUSED: {
    message: (user: string, host: string, why: string) =>
      `sudo on ${host} does not let the login user act as ${user}: ${why}.`,
    hint: "Check the sudo password and the host's sudoers.",
  },
  PB_SUDO_PASSWORD_NEEDED: {
    message: (user: string, host: string) =>
      `sudo on ${host} wants a password to act as ${user}, and none was given.`,
    hint: "Give the host a sudoPassword in the inventory (a secret), or a NOPASSWD line in sudoers.",
  },
  PB_READ_FAILED: {
    message: (path: string, why: string) => `${path} cannot be read: ${why}.`,
    hint: "Check that it is a file, and that the step's user may read it.",
  },
  PB_WRITE_FAILED: {
    message: (path: string, why: string) => `${path} cannot be written: ${why}.`,
    hint: "Free space, remount the file system read-write, or give another path; nothing was left behind.",
  },
  PB_FACTS_INVALID: {
    message: (why: string) => `The host describes itself in a way that makes no sense: ${why}.`,
    hint: "It has to be Linux with /proc and /sys mounted, or uname and nproc.",
  },
  PB_LOCAL_FILE: {
    message: (path: string, why: string) => `${path} on this machine cannot be used: ${why}.`,
    hint: "Check the path and its permissions; relative paths start in the folder that run-playbook was called in.",
  },
  PB_TRANSFER_CORRUPT: {
    message: (from: string, to: string) => `${from} and its copy ${to} differ after the transfer.`,
    hint: "The file changed while it was copied, or the disk is failing: run again.",
  },
} satisfies ErrorSpecs;
