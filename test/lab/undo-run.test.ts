import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openLab } from "#lab/lab.ts";
import type { LabView } from "#lab/view.ts";
import { play } from "../support/cli.ts";
import { PICTURE } from "../support/host-picture.ts";
import { folder } from "../support/program.ts";

const lab = openLab("undo");
let view: LabView;
let here: Awaited<ReturnType<typeof folder>>;

beforeAll(async () => {
  await lab.down();
  view = await lab.up({ hosts: ["w1", "w2"], disk: "2G", bare: true, yes: true });
  here = await folder({ "site.ts": playbook(view) });
});
afterAll(async () => {
  await here?.[Symbol.asyncDispose]();
  await lab.down();
});

/** Everything that a host is given in the end: packages, users, kernel, files, a service that reads them, its network. */
const playbook = ({ hosts, identityFile, knownHostsFile, gateway, prefix }: LabView) => `
import { defineInventory, each, playbook } from "run-playbook";
import * as use from "run-playbook/modules";

const common = ${JSON.stringify({ user: "root", identityFile, knownHostsFile })};
const inventory = defineInventory({
  hosts: { ${hosts.map(({ name, address }) => `${name}: { ...common, address: "${address}" }`).join(", ")} },
  groups: { workers: ["w1", "w2"] },
});
const own = { w1: "${hosts[0]?.address}", w2: "${hosts[1]?.address}" };
const second = { w1: "${prefix.replace("::/64", "::a1")}", w2: "${prefix.replace("::/64", "::a2")}" };

export default playbook("site", { inventory }, ({ step, groups: { workers } }) => {
  const kernel = step("kernel", {
    on: workers,
    ensure: use.sysctl({ values: { "net.ipv6.conf.all.forwarding": 1, "net.ipv6.conf.eth0.accept_ra": 2 } }),
  });
  const tools = step("tools", { on: workers, ensure: use.apt({ present: ["jq", "tree"], absent: ["nano"] }) });
  const operator = step("operator", {
    on: workers,
    ensure: use.user({ name: "deploy", groups: ["adm"], sudo: "without-password" }),
  });
  const content = step("configuration", {
    on: workers,
    after: [each(operator)],
    ensure: use.file({ path: "/etc/demo/demo.conf", content: "port = 2\\n", owner: "deploy" }),
  });
  const unit = step("unit", {
    on: workers,
    after: [kernel, each(content)],
    ensure: use.systemdUnit({
      name: "demo.service",
      content: "[Service]\\nExecStart=/bin/sh -c 'cat /etc/demo/demo.conf >/run/demo-reads; exec sleep infinity'\\n[Install]\\nWantedBy=multi-user.target\\n",
    }),
  });
  step("service", {
    on: workers,
    after: [each(unit), each(tools)],
    ensure: use.service({ name: "demo.service", restartAfter: ["/etc/demo/demo.conf"] }),
  });
  step("network", {
    on: workers,
    after: [kernel],
    ensure: ({ name }) =>
      use.netplan({
        interfaces: {
          eth0: { addresses: [own[name] + "/64", second[name] + "/64"], routes: [{ via: "${gateway}" }] },
        },
        replaces: ["/etc/netplan/50-lab.yaml"],
        within: "25s",
      }),
  });
});
`;

const rp = (...args: string[]) =>
  play(args, {
    cwd: here.path,
    env: { XDG_STATE_HOME: join(here.path, "state") },
    timeoutMs: 240_000,
  });
const exec = async (host: string, text: string) => {
  const result = await lab.exec(host, ["sh", "-c", text]);
  expect(result, text).toMatchObject({ code: 0 });
  return result.stdout;
};
const picture = async (host: string) => (await exec(host, PICTURE)).split("\n");
/** That the service has read this port; a unit counts as started before it has. */
const reads = (host: string, port: number) =>
  exec(
    host,
    `for _ in $(seq 50); do grep -qx 'port = ${port}' /run/demo-reads && exit 0; sleep 0.1; done; exit 1`,
  );
const RECORDS = "/var/lib/run-playbook/undo";

describe("a whole run on real hosts", () => {
  it("is undone newest first, and every host is as it was", async () => {
    const before = { w1: await picture("w1"), w2: await picture("w2") };
    const made = await rp("site.ts");
    expect(made).toMatchObject({ code: 0, recap: { changed: 14, failed: 0 } });
    expect(await picture("w1")).not.toEqual(before.w1);
    expect(await exec("w1", `find ${RECORDS} -printf '%y %m %u\\n' | sort -u`)).toBe(
      "d 700 root\nf 600 root\n",
    );

    const shown = await rp("undo", "last", "--check");
    expect(shown).toMatchObject({ code: 3, recap: { wouldChange: 14 } });

    const undone = await rp("undo", "last", "--yes");
    expect(undone).toMatchObject({ code: 0, recap: { changed: 14, failed: 0, skipped: 0 } });
    expect({ w1: await picture("w1"), w2: await picture("w2") }).toEqual(before);

    // On each host in the reverse order of what was done there.
    const orderOf = (played: typeof made, host: string) =>
      played.events.flatMap((event) =>
        event.type === "node-finished" && event.host === host && event.outcome === "changed"
          ? [event.step.replace("undo ", "")]
          : [],
      );
    for (const host of ["w1", "w2"])
      expect(orderOf(undone, host)).toEqual(orderOf(made, host).toReversed());

    // What was undone is not the last run to undo any more.
    await expect(rp("undo", "last", "--yes")).rejects.toThrow("PB_UNDO_NOTHING");
  });

  it("leaves a service that ran before running with what it read then", async () => {
    await exec("w1", "mkdir -p /etc/demo; echo 'port = 1' >/etc/demo/demo.conf");
    const unit = `[Service]\\nExecStart=/bin/sh -c "cat /etc/demo/demo.conf >/run/demo-reads; exec sleep infinity"\\n[Install]\\nWantedBy=multi-user.target\\n`;
    await exec("w1", `printf '${unit}' >/etc/systemd/system/demo.service`);
    await exec("w1", "systemctl daemon-reload; systemctl enable --now demo.service 2>/dev/null");
    await reads("w1", 1);
    const before = await picture("w1");

    await rp("site.ts");
    await reads("w1", 2);
    const undone = await rp("undo", "last", "--yes");
    expect(undone.code).toBe(0);
    expect(undone.ended("changed")).toContain("renew service on w1");
    await reads("w1", 1);
    expect(await picture("w1")).toEqual(before);
    await exec("w1", "systemctl disable --now demo.service; rm /etc/systemd/system/demo.service");
    await exec("w1", "rm -r /etc/demo; systemctl daemon-reload");
  });

  it("refuses a record that was tampered with, and what is older on that host stays", async () => {
    await rp("site.ts");
    const evil = `for f in ${RECORDS}/*/*.json; do grep -q '"step":"operator"' "$f" && sed -i 's/"run"/"evil"/; s/deploy/root/g' "$f"; done; true`;
    await exec("w1", evil);
    const undone = await rp("undo", "last", "--yes");
    expect(undone.code).toBe(1);
    expect(undone.ended("failed")).toEqual(["undo operator on w1"]);
    const failure = undone.events.find(
      (event) => event.type === "node-finished" && event.outcome === "failed",
    );
    expect(failure).toMatchObject({ error: { code: "PB_UNDO_TAMPERED", host: "w1" } });
    await exec("w1", "getent passwd root deploy >/dev/null");
    await exec("w2", "! getent passwd deploy");
  });
});
