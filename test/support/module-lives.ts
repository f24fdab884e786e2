import type { Action } from "#engine/dsl/module.ts";
import type { LabView } from "#lab/view.ts";
import * as use from "#modules/index.ts";

const key =
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEE deploy";
/** A unit file that runs one program. */
export const unitFile = (exec: string) =>
  `[Service]\nExecStart=${exec}\n[Install]\nWantedBy=multi-user.target\n`;
const sleeper = unitFile("/usr/bin/sleep infinity");

/** One module's life on a host: made so, left alone, changed by hand, made so again. */
export interface Life {
  readonly name: string;
  /** A function, for what is known only once the lab is up. */
  readonly wanted: () => Action;
  /** What somebody does by hand. */
  readonly drift: string;
  /** Whether a fresh host is so already. */
  readonly already?: boolean;
  /** Says afterwards that it really is so. */
  readonly proof: string;
}

/** The lives of all modules that a lab host can show. `view` is asked once the lab is up. */
export const moduleLives = (view: () => LabView): readonly Life[] => [
  {
    name: "sysctl",
    wanted: () =>
      use.sysctl({
        values: {
          "net.ipv6.conf.all.forwarding": 1,
          "net.ipv6.conf.eth0.accept_ra": 2,
          "net.ipv4.tcp_rmem": "4096 131072 6291456",
        },
      }),
    drift: "echo 0 >/proc/sys/net/ipv6/conf/all/forwarding",
    proof: `[ "$(sysctl -n net.ipv6.conf.all.forwarding net.ipv6.conf.eth0.accept_ra | tr '\\n' ' ')" = "1 2 " ]`,
  },
  {
    name: "kernel-modules",
    wanted: () =>
      use.kernelModules({ modules: ["br_netfilter", "overlay", "vxlan", "nf_conntrack"] }),
    drift: "true",
    already: true,
    proof: "[ ! -e /etc/modules-load.d/run-playbook.conf ]",
  },
  {
    name: "hostname",
    wanted: () => use.hostname({ name: "worker-one" }),
    drift: "echo other >/proc/sys/kernel/hostname",
    proof:
      "[ $(cat /proc/sys/kernel/hostname) = worker-one ] && [ $(cat /etc/hostname) = worker-one ]",
  },
  {
    name: "hosts-file",
    wanted: () =>
      use.hostsFile({
        entries: [{ address: view().virtualIp, names: ["api.example.net", "api"] }],
      }),
    drift: "sed -i s/api.example.net/bad/ /etc/hosts",
    proof: "getent ahostsv6 api.example.net",
  },
  {
    name: "swap",
    wanted: () => use.swap({}),
    drift: "echo '/dev/none none swap sw 0 0' >>/etc/fstab",
    already: true,
    proof: "! grep -q '^/dev/none' /etc/fstab",
  },
  {
    name: "time-sync",
    wanted: () => use.timeSync({ servers: [view().gateway] }),
    drift: "rm /etc/systemd/timesyncd.conf.d/90-run-playbook.conf",
    proof: "grep -q NTP= /etc/systemd/timesyncd.conf.d/90-run-playbook.conf",
  },
  {
    name: "file",
    wanted: () => use.file({ path: "/etc/demo/a.conf", content: "a = 'é'\n", mode: 0o640 }),
    drift: "echo x >>/etc/demo/a.conf; chmod 644 /etc/demo/a.conf",
    proof: `[ "$(stat -c %a%s /etc/demo/a.conf)" = 6409 ]`,
  },
  {
    name: "file, a symlink",
    wanted: () => use.file({ path: "/etc/demo/link", linkTo: "a.conf" }),
    drift: "ln -sfn /nowhere /etc/demo/link",
    proof: "[ $(readlink /etc/demo/link) = a.conf ]",
  },
  {
    name: "directory",
    wanted: () => use.directory({ path: "/srv/demo/data", mode: 0o700, owner: "ops" }),
    drift: "chmod 755 /srv/demo/data",
    proof: "[ $(stat -c %U%a /srv/demo/data) = ops700 ]",
  },
  {
    name: "template",
    wanted: () =>
      use.template({
        path: "/etc/demo/t",
        text: "{{#each a}}{{this}};{{/each}}\n",
        values: { a: [1, 2] },
      }),
    drift: "rm /etc/demo/t",
    proof: "[ $(cat /etc/demo/t) = '1;2;' ]",
  },
  {
    name: "user",
    wanted: () =>
      use.user({
        name: "deploy",
        groups: ["adm"],
        authorizedKeys: [key],
        sudo: "without-password",
      }),
    drift: "usermod -s /bin/sh deploy; echo bad >>/home/deploy/.ssh/authorized_keys",
    proof:
      "su deploy -c 'sudo -n true' && id -nG deploy | grep -qw adm && [ $(stat -c %U%a ~deploy/.ssh/authorized_keys) = deploy600 ]",
  },
  {
    name: "systemd-unit",
    wanted: () => use.systemdUnit({ name: "demo.service", content: sleeper }),
    drift: "echo '# x' >>/etc/systemd/system/demo.service",
    proof: "[ $(systemctl show -P NeedDaemonReload demo.service) = no ]",
  },
  {
    name: "service",
    wanted: () => use.service({ name: "demo.service", restartAfter: ["/etc/demo/a.conf"] }),
    drift: "systemctl disable --now demo.service",
    proof: "systemctl is-active demo.service && systemctl is-enabled demo.service",
  },
  {
    name: "service, after a file that changed",
    wanted: () => use.service({ name: "demo.service", restartAfter: ["/etc/demo/a.conf"] }),
    drift: "touch /etc/demo/a.conf",
    already: true,
    proof: "systemctl is-active demo.service",
  },
  {
    name: "apt-source",
    wanted: () =>
      use.aptSource({
        name: "contrib",
        uris: [`http://[${view().serviceAddress}]:3142/debian`],
        suites: ["trixie"],
        components: ["contrib"],
        signedBy: "/usr/share/keyrings/debian-archive-keyring.gpg",
      }),
    drift: "sed -i s/contrib/nowhere/ /etc/apt/sources.list.d/contrib.sources",
    proof: "apt-get -qq -o APT::Update::Error-Mode=any update",
  },
  {
    name: "apt",
    wanted: () => use.apt({ present: ["tree"], absent: ["nano"] }),
    drift: "dpkg --purge tree",
    proof: "tree --version",
  },
  {
    name: "command",
    wanted: () =>
      use.command({ argv: ["sh", "-c", "echo done >/srv/demo/goal"], creates: "/srv/demo/goal" }),
    drift: "rm /srv/demo/goal",
    proof: "grep -q done /srv/demo/goal",
  },
];
