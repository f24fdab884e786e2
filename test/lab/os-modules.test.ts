import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Action } from "#engine/dsl/module.ts";
import { openLab } from "#lab/lab.ts";
import type { LabView } from "#lab/view.ts";
import * as use from "#modules/index.ts";
import { ensureOn } from "../support/lab-play.ts";

const lab = openLab("osmod");
let view: LabView;

const exec = async (text: string) => {
  const result = await lab.exec("w1", ["sh", "-c", text]);
  expect(result, text).toMatchObject({ code: 0 });
  return result.stdout;
};
const ensure = (action: Action) => ensureOn(view, "w1", action);
const check = (action: Action) => ensureOn(view, "w1", action, { mode: "check" });

const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLE deploy";
const unit = (exec: string) =>
  `[Service]\nExecStart=${exec}\n[Install]\nWantedBy=multi-user.target\n`;
const sleeper = unit("/usr/bin/sleep infinity");

beforeAll(async () => {
  await lab.down();
  view = await lab.up({ hosts: ["w1", "w2"], disk: "2G", bare: true, yes: true });
});
afterAll(() => lab.down());

interface Life {
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

const lives: readonly Life[] = [
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
      use.hostsFile({ entries: [{ address: view.virtualIp, names: ["api.example.net", "api"] }] }),
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
    wanted: () => use.timeSync({ servers: [view.gateway] }),
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
        uris: [`http://[${view.serviceAddress}]:3142/debian`],
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

describe("every module", () => {
  it.each(lives)("$name converges, is idempotent, and repairs drift", async (life) => {
    const first = await ensure(life.wanted());
    expect(first.errors).toEqual([]);
    expect(first.changes.length > 0).toBe(life.already !== true);
    await exec(life.proof);

    expect((await ensure(life.wanted())).recap).toMatchObject({ ok: 1, changed: 0, exitCode: 0 });

    await exec(life.drift);
    const pending = await check(life.wanted());
    const repaired = await ensure(life.wanted());
    expect(repaired.errors).toEqual([]);
    expect(repaired.changes).toEqual(pending.changes);
    expect(repaired.changes.length > 0).toBe(life.drift !== "true");
    await exec(life.proof);
    expect((await ensure(life.wanted())).recap).toMatchObject({ ok: 1, changed: 0, exitCode: 0 });
  });

  it("assert-os tells what a host is, and refuses what is not supported", async () => {
    expect((await ensure(use.assertOs({}))).recap).toMatchObject({ ok: 1 });
    const { errors } = await ensure(use.assertOs({ systems: { debian: ["12"] } }));
    expect(errors).toMatchObject([{ code: "PB_UNSUPPORTED_HOST", host: "w1" }]);
  });

  it("sysctl names a key that the kernel lacks, and changes nothing", async () => {
    const { errors, changes } = await ensure(
      use.sysctl({ values: { "net.ipv4.conf.all.disable_ipv4": 1 }, file: "/etc/sysctl.d/x.conf" }),
    );
    expect(errors).toMatchObject([{ code: "PB_SYSCTL_UNKNOWN" }]);
    expect(errors[0]?.message).toContain("net.ipv4.conf.all.disable_ipv4");
    expect(changes).toEqual([]);
    await exec("[ ! -e /etc/sysctl.d/x.conf ]");
  });

  it("service shows the journal's last lines when a unit fails", async () => {
    const content = unit("/bin/sh -c 'echo the configuration is broken >&2; exit 3'");
    await ensure(use.systemdUnit({ name: "broken.service", content }));
    const { errors } = await ensure(use.service({ name: "broken.service" }));
    expect(errors).toMatchObject([{ code: "PB_COMMAND_FAILED" }]);
    expect(errors[0]?.output?.join("\n")).toContain("the configuration is broken");
  });

  it("apt says what apt says of a package that does not exist", async () => {
    const { errors } = await ensure(use.apt({ present: ["no-such-package-here"] }));
    expect(errors).toMatchObject([{ code: "PB_COMMAND_FAILED" }]);
    expect(errors[0]?.output?.join("\n")).toContain("Unable to locate package");
  });

  it("apt waits for a lock that another apt holds", async () => {
    const hold =
      "import fcntl, time; f = open('/var/lib/dpkg/lock-frontend', 'w'); fcntl.lockf(f, fcntl.LOCK_EX); open('/run/held', 'w'); time.sleep(4)";
    await exec(
      `systemd-run --quiet python3 -c "${hold}"; until [ -e /run/held ]; do sleep 0.1; done`,
    );
    const began = Date.now();
    const { errors, recap } = await ensure(use.apt({ present: ["less"] }));
    expect(Date.now() - began).toBeGreaterThan(3000);
    expect(errors).toEqual([]);
    expect(recap).toMatchObject({ changed: 1 });
  });

  it("what is absent goes away, once", async () => {
    for (const action of [
      use.user({ name: "deploy", state: "absent", removeHome: true }),
      use.systemdUnit({ name: "demo.service", state: "absent" }),
      use.file({ path: "/etc/demo/link", state: "absent" }),
      use.directory({ path: "/srv/demo", state: "absent" }),
      use.hostsFile({ state: "absent" }),
      use.apt({ absent: ["tree"], purge: true }),
    ]) {
      expect((await ensure(action)).recap).toMatchObject({ changed: 1, exitCode: 0 });
      expect((await ensure(action)).recap).toMatchObject({ ok: 1, changed: 0 });
    }
    await exec("! getent passwd deploy; ! systemctl cat demo.service; ! [ -e /srv/demo ]");
  });
});
