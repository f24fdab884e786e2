import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Action } from "#engine/dsl/module.ts";
import { openLab } from "#lab/lab.ts";
import type { LabView } from "#lab/view.ts";
import * as use from "#modules/index.ts";
import { ensureOn } from "../support/lab-play.ts";
import { moduleLives, unitFile } from "../support/module-lives.ts";

const lab = openLab("osmod");
let view: LabView;

const exec = async (text: string) => {
  const result = await lab.exec("w1", ["sh", "-c", text]);
  expect(result, text).toMatchObject({ code: 0 });
  return result.stdout;
};
const ensure = (action: Action) => ensureOn(view, "w1", action);
const check = (action: Action) => ensureOn(view, "w1", action, { mode: "check" });

const lives = moduleLives(() => view);

beforeAll(async () => {
  await lab.down();
  view = await lab.up({ hosts: ["w1", "w2"], disk: "2G", bare: true, yes: true });
});
afterAll(() => lab.down());

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
    const content = unitFile("/bin/sh -c 'echo the configuration is broken >&2; exit 3'");
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
