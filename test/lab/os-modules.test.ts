import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Action } from "#engine/dsl/module.ts";
import { sh } from "#engine/index.ts";
import { openLab } from "#lab/lab.ts";
import { run } from "#lab/machine/run.ts";
import type { LabView } from "#lab/view.ts";
import * as use from "#modules/index.ts";
import { playOnLab } from "../support/lab-play.ts";

const lab = openLab("osmod");
let view: LabView;
let folder: string;

const exec = async (text: string) => {
  const result = await lab.exec("w1", ["sh", "-c", text]);
  expect(result, text).toMatchObject({ code: 0 });
  return result.stdout;
};
const ensure = (action: Action, host = "w1") =>
  playOnLab(view, ({ step, on }) => {
    step("it", { on: on(host), ensure: action });
  });
const check = (action: Action) =>
  playOnLab(view, ({ step, on }) => step("it", { on: on("w1"), ensure: action }), {
    mode: "check",
  });
const gate = (until: ReturnType<typeof use.commandOk>) =>
  playOnLab(view, ({ gate: declare, on }) => {
    declare("it", { on: on("w1"), until, within: "2s" });
  });

const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLE deploy";
const unit = (exec: string) =>
  `[Service]\nExecStart=${exec}\n[Install]\nWantedBy=multi-user.target\n`;
const sleeper = unit("/usr/bin/sleep infinity");

beforeAll(async () => {
  await lab.down();
  view = await lab.up({ hosts: ["w1", "w2"], disk: "2G", bare: true, yes: true });
  folder = await mkdtemp(join(tmpdir(), "os-modules-"));
});
afterAll(async () => {
  await lab.down();
  await rm(folder, { recursive: true });
});

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
    await exec("systemd-run --quiet flock /var/lib/dpkg/lock-frontend sleep 4");
    const { errors, recap } = await ensure(use.apt({ present: ["less"] }));
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

describe("remote-file", () => {
  const sha = (text: string) => createHash("sha256").update(text).digest("hex");
  let base: string;

  beforeAll(async () => {
    const top = join(folder, "pack/top");
    await mkdir(top, { recursive: true });
    await writeFile(join(top, "bridge"), "#!/bin/sh\n", { mode: 0o755 });
    await writeFile(join(top, "ptp"), "#!/bin/sh\n", { mode: 0o755 });
    await run(sh`tar -C ${join(folder, "pack")} -czf ${join(folder, "cni-v1.tgz")} top`);
    await writeFile(join(folder, "tool"), "tool\n");
    // The other host serves them, over IPv6.
    const made = await playOnLab(view, ({ step, on }) => {
      for (const name of ["tool", "cni-v1.tgz"])
        step(name, {
          on: on("w2"),
          ensure: use.remoteFile({ from: join(folder, name), path: `/srv/www/${name}` }),
        });
      const content = unit("/usr/bin/python3 -m http.server --bind :: --directory /srv/www 8000");
      const www = step("unit", {
        on: on("w2"),
        ensure: use.systemdUnit({ name: "www.service", content }),
      });
      step("www", { on: on("w2"), after: [www], ensure: use.service({ name: "www.service" }) });
    });
    expect(made.errors).toEqual([]);
    base = `http://[${view.hosts[1]?.address}]:8000`;
  });

  it("fetches a program over IPv6 on a host without curl, and puts it back", async () => {
    const action = use.remoteFile({
      path: "/usr/local/bin/tool",
      url: `${base}/tool`,
      sha256: sha("tool\n"),
      mode: 0o755,
    });
    expect((await ensure(action)).errors).toEqual([]);
    await exec("[ $(stat -c %a /usr/local/bin/tool) = 755 ] && ! command -v curl");
    expect((await ensure(action)).recap).toMatchObject({ ok: 1 });
    await exec("echo bad >/usr/local/bin/tool");
    expect((await ensure(action)).recap).toMatchObject({ changed: 1, exitCode: 0 });
    expect(await exec("cat /usr/local/bin/tool")).toBe("tool\n");
  });

  it("unpacks an archive, and puts back one deleted member", async () => {
    const archive = await run(sh`sha256sum ${join(folder, "cni-v1.tgz")}`);
    const action = use.remoteFile({
      path: "/opt/cni/bin",
      url: `${base}/cni-v1.tgz`,
      sha256: archive.slice(0, 64),
      unpack: { strip: 1 },
    });
    expect((await ensure(action)).errors).toEqual([]);
    expect((await ensure(action)).recap).toMatchObject({ ok: 1 });
    await exec("rm /opt/cni/bin/ptp");
    const { changes } = await ensure(action);
    expect(changes.join()).toContain("./ptp is not as unpacked");
    await exec("[ -x /opt/cni/bin/ptp ] && [ -x /opt/cni/bin/bridge ]");
  });

  it("a wrong checksum puts nothing in place", async () => {
    const { errors } = await ensure(
      use.remoteFile({ path: "/usr/local/bin/bad", url: `${base}/tool`, sha256: sha("x") }),
    );
    expect(errors[0]?.output?.join()).toContain(`expected ${sha("x")}`);
    await exec("! ls /usr/local/bin/bad*");
  });
});

describe("probes", () => {
  const peers = () => view.hosts.map(({ address }) => address);

  it("hold where they should", async () => {
    for (const until of [
      use.portOpen({ address: peers()[1] ?? "", port: 22 }),
      use.portOpen({ port: 6443, open: false }),
      use.reachable({ peers: [...peers(), view.gateway] }),
      use.noTentativeAddress({}),
      use.timeSynchronised({}),
      use.commandOk({ argv: ["uname"], prints: "Linux" }),
    ]) {
      const { errors, recap } = await gate(until);
      expect(errors).toEqual([]);
      expect(recap.exitCode).toBe(0);
    }
  });

  it("say what they saw where they do not", async () => {
    const nobody = view.prefix.replace("::/64", "::dead");
    for (const [until, saw] of [
      [use.portOpen({ port: 6443 }), "[::1]:6443 says: Connection refused"],
      [use.reachable({ peers: [nobody, view.gateway] }), `no answer from ${nobody}`],
      [use.commandOk({ argv: ["false"] }), "false exited 1"],
    ] as const) {
      const { errors } = await gate(until);
      expect(errors[0]?.message).toContain(saw);
    }
  });
});
