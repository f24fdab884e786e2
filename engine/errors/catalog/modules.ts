import type { ErrorSpecs } from "../spec.ts";

/** What modules refuse, and what they find wrong on a host. */
export const moduleErrors = {
  PB_UNSUPPORTED_HOST: {
    message: (what: string, supported: string) => `${what} is not supported (${supported} is).`,
    hint: "Nothing was changed: use a supported host, or leave this one out with --limit.",
  },
  PB_TOOL_MISSING: {
    message: (tool: string, why: string) => `The host has no ${tool}: ${why}.`,
    hint: "Install it in an earlier step, with the apt module.",
  },
  PB_ANSWER_INVALID: {
    message: (what: string, why: string) => `${what} makes no sense: ${why}.`,
    hint: "Ask the host by hand: the program may be another version or broken, or the host not what it seems.",
  },
  PB_WRONG_KIND: {
    message: (path: string, is: string, wanted: string) => `${path} is a ${is}, not a ${wanted}.`,
    hint: "Nothing was changed: move it away by hand, or give another path.",
  },
  PB_CHECKSUM: {
    message: (what: string, is: string, wanted: string) =>
      `The sha256 of ${what} is ${is}, expected ${wanted}.`,
    hint: "Nothing was put in place: check the version, and where the file comes from.",
  },
  PB_TEMPLATE: {
    message: (template: string, line: number, why: string) => `${template}, line ${line}: ${why}.`,
    hint: "Every variable of a template must be given in `values`; use null for none.",
  },
  PB_BLOCK_BROKEN: {
    message: (path: string, begin: string, end: string) =>
      `${path} has only one of the lines "${begin}" and "${end}", or has them in the wrong order.`,
    hint: "Nothing was changed: mend the two lines by hand, what is between them is replaced.",
  },
  PB_SYSCTL_UNKNOWN: {
    message: (keys: readonly string[]) => `This kernel has no ${keys.join(", ")}.`,
    hint: "Some keys appear only with their kernel module (br_netfilter, nf_conntrack) or interface; some that are often copied, as disable_ipv4, never existed.",
  },
  PB_SYSCTL_OVERRIDDEN: {
    message: (
      key: string,
      last: { readonly file: string; readonly value: string | undefined } | undefined,
    ) => {
      const why =
        last === undefined
          ? "a file of the same name hides the one that would set it"
          : `${last.file} has the last word and ${last.value === undefined ? "leaves it out" : `sets it to ${last.value}`}`;
      return `${key} would not survive a reboot as wanted: ${why}.`;
    },
    hint: "Remove that line or file, or give `file` a name that sorts after it; `systemd-analyze cat-config sysctl.d` on the host shows what is read, in its order.",
  },
  PB_ROUTE_AT_RISK: {
    message: (dev: string) =>
      `The default route on ${dev} was learned from a router; with forwarding on and accept_ra=1 it would be lost.`,
    hint: "Set net.ipv6.conf.<interface>.accept_ra to 2 in the same step, or give the host a static route.",
  },
  PB_KERNEL_MODULE_MISSING: {
    message: (names: readonly string[], kernel: string) =>
      `Kernel ${kernel} has no module ${names.join(", ")}, neither loadable nor built in.`,
    hint: "Install the kernel's extra modules, or another kernel.",
  },
  PB_NETPLAN_CONFLICT: {
    message: (file: string, names: readonly string[]) =>
      `${file} configures ${names.join(", ")} too, and netplan merges both files.`,
    hint: "Name that file in `replaces` to have it removed in the same guarded change.",
  },
  PB_NETPLAN_HIDDEN: {
    message: (file: string, other: string) =>
      `netplan does not read ${file}: ${other} has the same name and comes first.`,
    hint: "Give `file` another name, or name the other one in `replaces`.",
  },
  PB_NETPLAN_REFUSED: {
    message: (said: string) => `netplan refuses the files as they are: ${said}.`,
    hint: "At the next boot the host would come up without any of them. Repair that file, or name it in `replaces`; `netplan generate` says the same.",
  },
  PB_NETPLAN_NO_INTERFACE: {
    message: (name: string, present: readonly string[]) =>
      `The host has no interface ${name} (it has ${present.join(", ")}).`,
    hint: "Interface names differ by machine: look with `ip link`.",
  },
  PB_CLUSTER_MEMBER: {
    message: (what: string, why: string) => `${what} is refused on a member of a cluster: ${why}.`,
    hint: "Take the host out of the cluster first (drain, kubeadm reset), or keep its address.",
  },
  PB_APT_SOURCE: {
    message: (what: string, why: string) => `${what}: ${why}.`,
    hint: "Look at the sources under /etc/apt/sources.list.d and whether the host reaches them over IPv6.",
  },
  PB_UNIT_MISSING: {
    message: (unit: string) => `The host has no unit ${unit}.`,
    hint: "Install its package or write its unit file in an earlier step; names end in .service, .timer, …",
  },
  PB_UNIT_STATIC: {
    message: (unit: string) =>
      `${unit} cannot be enabled: its file says nothing of when it starts ([Install]).`,
    hint: "Where another unit starts it (a timer, a socket, Wants=), say `enabled: false`; else add an [Install] section by a drop-in.",
  },
  PB_REBOOT_FAILED: {
    message: (host: string, why: string) => `${host} was to start anew: ${why}.`,
    hint: "Look at the host's console; when it answers again, run the playbook again.",
  },
  PB_USER_CONFLICT: {
    message: (user: string, why: string) => `User ${user}: ${why}.`,
    hint: "Nothing was changed: settle by hand which of the two is right.",
  },
} satisfies ErrorSpecs;
