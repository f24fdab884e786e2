import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openLab } from "#lab/lab.ts";
import type { LabView } from "#lab/view.ts";
import { type Played, play } from "../support/cli.ts";
import { folder } from "../support/program.ts";

const lab = openLab("planfile");
const SECRET = "planted-on-purpose";
let view: LabView;
let here: Awaited<ReturnType<typeof folder>>;

beforeAll(async () => {
  await lab.down();
  view = await lab.up({ hosts: ["w1", "w2"], disk: "2G", bare: true, yes: true });
  here = await folder({ "site.ts": playbook(view), "package.ts": packagePlaybook(view) });
});
afterAll(async () => {
  await here?.[Symbol.asyncDispose]();
  await lab.down();
});

const inventoryOf = ({ hosts, identityFile, knownHostsFile }: LabView) => `
const common = ${JSON.stringify({ user: "root", identityFile, knownHostsFile })};
const inventory = defineInventory({
  hosts: { ${hosts.map(({ name, address }) => `${name}: { ...common, address: "${address}" }`).join(", ")} },
  groups: { workers: ["w1", "w2"] },
});
`;

/** Settings of several kinds, a secret, and an edge. */
const playbook = (view: LabView) => `
import { defineInventory, each, playbook, secretFrom } from "run-playbook";
import * as use from "run-playbook/modules";
${inventoryOf(view)}
export default playbook("site", { inventory }, ({ step, groups: { workers } }) => {
  const kernel = step("kernel", {
    on: workers,
    ensure: use.sysctl({ values: { "net.ipv6.conf.all.forwarding": 1 }, file: "/etc/sysctl.d/60-plan.conf" }),
  });
  step("zone", { on: workers, ensure: use.file({ path: "/etc/plan-zone", content: "eu\\n" }) });
  step("password", {
    on: workers,
    after: [each(kernel)],
    ensure: use.file({ path: "/etc/plan-password", content: secretFrom.env("PLAN_PASSWORD"), mode: 0o600 }),
  });
});
`;

const rp = (...args: string[]): Promise<Played> =>
  play(args, {
    cwd: here.path,
    env: { PLAN_PASSWORD: SECRET, XDG_STATE_HOME: join(here.path, "state") },
    timeoutMs: 120_000,
  });

// On a bare host neither the package nor its configuration is there: what the plan sees is not what it overwrites.
const packagePlaybook = (view: LabView) => `
import { defineInventory, playbook } from "run-playbook";
import * as use from "run-playbook/modules";
${inventoryOf(view)}
export default playbook("package", { inventory }, ({ step, host }) => {
  const on = host("w2");
  const installed = step("package", { on, ensure: use.apt({ present: ["nano"] }) });
  step("configuration", {
    on,
    after: [installed],
    ensure: use.file({ path: "/etc/nanorc", content: "set linenumbers\\n" }),
  });
});
`;

test("a configuration is replaced as planned though the plan's own package brought another one", async () => {
  expect(await rp("package.ts", "--plan-out", "package.json")).toMatchObject({
    code: 3,
    recap: { wouldChange: 2 },
  });
  expect(await rp("--apply-plan", "package.json")).toMatchObject({
    code: 0,
    recap: { changed: 2, failed: 0 },
  });
  expect(await lab.exec("w2", ["cat", "/etc/nanorc"])).toMatchObject({
    stdout: "set linenumbers\n",
  });
  expect(await rp("--apply-plan", "package.json")).toMatchObject({
    code: 0,
    recap: { changed: 0 },
  });
});

test("a plan is made, stops only the node that drifted, and comes to nothing once it was applied", async () => {
  const checked = await rp("site.ts", "--plan-out", "plan.json");
  expect(checked).toMatchObject({ code: 3, recap: { changed: 0 } });
  expect(checked.recap.wouldChange).toBeGreaterThanOrEqual(5);
  const text = await readFile(join(here.path, "plan.json"), "utf8");
  expect(text).not.toContain(SECRET);
  expect(text).toContain('"say": "create /etc/plan-zone"');

  expect(await lab.exec("w1", ["sh", "-c", "echo us >/etc/plan-zone"])).toMatchObject({ code: 0 });
  const stopped = await rp("--apply-plan", "plan.json");
  expect(stopped.code).toBe(1);
  expect(stopped.ended("failed")).toEqual(["zone on w1"]);
  expect(stopped.ended("skipped")).toEqual([]);
  const failed = stopped.events.find(
    (event) => event.type === "node-finished" && event.outcome === "failed",
  );
  expect(failed).toMatchObject({
    error: {
      code: "PB_PLAN_DRIFTED",
      output: expect.arrayContaining(["planned: create /etc/plan-zone"]),
    },
  });
  expect(await lab.exec("w1", ["cat", "/etc/plan-zone"])).toMatchObject({ stdout: "us\n" });
  expect(await lab.exec("w2", ["cat", "/etc/plan-zone", "/etc/plan-password"])).toMatchObject({
    stdout: `eu\n${SECRET}`,
  });

  expect(await lab.exec("w1", ["rm", "/etc/plan-zone"])).toMatchObject({ code: 0 });
  expect(await rp("--apply-plan", "plan.json")).toMatchObject({
    code: 0,
    recap: { changed: 1, failed: 0 },
  });
  expect(await rp("--apply-plan", "plan.json")).toMatchObject({
    code: 0,
    recap: { changed: 0, ok: checked.recap.wouldChange + checked.recap.ok },
  });
  expect(await rp("site.ts")).toMatchObject({ code: 0, recap: { changed: 0 } });
});
