import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Action, Condition } from "#engine/dsl/module.ts";
import { sh } from "#engine/index.ts";
import { openLab } from "#lab/lab.ts";
import { run } from "#lab/machine/run.ts";
import type { LabView } from "#lab/view.ts";
import * as use from "#modules/index.ts";
import { ensureOn, playOnLab } from "../support/lab-play.ts";

const lab = openLab("osmod");
let view: LabView;
let folder: string;

const exec = async (text: string) => {
  const result = await lab.exec("w1", ["sh", "-c", text]);
  expect(result, text).toMatchObject({ code: 0 });
  return result.stdout;
};
const ensure = (action: Action) => ensureOn(view, "w1", action);
const unit = (program: string) =>
  `[Service]\nExecStart=${program}\n[Install]\nWantedBy=multi-user.target\n`;

beforeAll(async () => {
  await lab.down();
  view = await lab.up({ hosts: ["w1", "w2"], disk: "2G", bare: true, yes: true });
  folder = await mkdtemp(join(tmpdir(), "remote-file-"));
});
afterAll(async () => {
  await lab.down();
  await rm(folder, { recursive: true });
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
  const gate = (until: Condition) =>
    playOnLab(view, ({ gate: declare, on }) => {
      declare("it", { on: on("w1"), until, within: "3s" });
    });
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
      const { events, errors } = await gate(until);
      expect(errors).toMatchObject([{ code: "PB_GATE_TIMEOUT" }]);
      const seen = events.flatMap((event) => (event.type === "node-waiting" ? [event.saw] : []));
      expect(seen[0]).toContain(saw);
    }
  });
});
