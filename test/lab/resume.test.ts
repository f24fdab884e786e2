import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openLab } from "#lab/lab.ts";
import { root } from "../support/cli.ts";
import { type Death, deathIn, random } from "../support/deaths.ts";
import type { EngineProcess } from "../support/engine-process.ts";
import { hostState } from "../support/host-state.ts";
import { Operator } from "../support/operator.ts";

const KILLS = Number(process.env["RUN_PLAYBOOK_KILLS"] ?? 100);
const SEED = Number(process.env["RUN_PLAYBOOK_SEED"] ?? Date.now() % 2 ** 31);

const lab = openLab("resume");
const hosts = ["w1", "w2"];
const folder = mkdtempSync(join(tmpdir(), "run-playbook-resume-"));
const key =
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEE deploy";
const tell = (line: string) => process.stderr.write(`# ${line}\n`);
let lives = 0;
let args: string[] = [];

/** Hosts as bare as they come, and an operator who has run nothing yet. */
async function bare(): Promise<Operator> {
  await lab.down();
  const view = await lab.up({ hosts, disk: "1G", bare: true, yes: true });
  const { identityFile, knownHostsFile, prefix, gateway } = view;
  const inventory = {
    defaults: { user: "root", identityFile, knownHostsFile },
    hosts: Object.fromEntries(view.hosts.map(({ name, address }) => [name, { address }])),
    groups: { hosts },
  };
  writeFileSync(
    join(folder, "hosts.ts"),
    `import { defineInventory } from "run-playbook";
export default defineInventory(${JSON.stringify(inventory)});
`,
  );
  const params = Object.entries({ key, prefix, gateway });
  args = [
    join(root, "test/fixtures/hosts/life.ts"),
    ...["--inventory", join(folder, "hosts.ts")],
    ...params.flatMap(([name, value]) => ["--param", `${name}=${value}`]),
  ];
  lives += 1;
  return new Operator(join(folder, `life-${lives}`));
}

const states = async () =>
  Object.fromEntries(
    await Promise.all(hosts.map(async (host) => [host, await hostState(lab, host)] as const)),
  );

let undisturbed: Awaited<ReturnType<typeof states>>;
let lines = 0;

beforeAll(async () => {
  const operator = await bare();
  const began = Date.now();
  const engine = await operator.run(args);
  expect(engine.child.exitCode, told(engine)).toBe(0);
  lines = operator.journal().length;
  undisturbed = await states();
  tell(`undisturbed: ${Date.now() - began} ms, ${lines} lines of journal; seed ${SEED}`);
});
afterAll(async () => {
  await lab.down();
  rmSync(folder, { recursive: true });
});

/** Goes on with what was killed; from the beginning where nothing had begun yet. */
async function goOn(operator: Operator, death?: Death): Promise<EngineProcess> {
  const engine = await operator.run(["resume", "last", "--yes"], death);
  return engine.said.includes("PB_RUN_NONE_LEFT") ? operator.run(args, death) : engine;
}

const told = ({ events, said }: EngineProcess) =>
  `${said}\n${events.map((event) => JSON.stringify(event)).join("\n")}`;

it(`hosts come out as of an undisturbed run from one killed at ${KILLS} points of its journal`, async () => {
  const next = random(SEED);
  for (let kills = 0; kills < KILLS; ) {
    const operator = await bare();
    const [before, began] = [kills, Date.now()];
    for (let over = false; !over; ) {
      const death = kills < KILLS ? deathIn(lines, next) : undefined;
      const engine = await goOn(operator, death);
      const where = `seed ${SEED}, life ${lives}, kill ${kills}: ${JSON.stringify(death)}`;
      over = !engine.isKilled;
      if (over) expect(engine.child.exitCode, `${where}\n${told(engine)}`).toBe(0);
      else kills += 1;
      expect(engine.nodes("failed"), `${where}\n${told(engine)}`).toEqual([]);
    }
    tell(`life ${lives}: killed ${kills - before} times, ${Date.now() - began} ms`);
    expect(await states(), `seed ${SEED}, life ${lives}`).toEqual(undisturbed);
  }
}, 900_000);

it("a run killed during a guarded change waits for the host's own rollback, then makes the change", async () => {
  const operator = await bare();
  const only = ["--only", "network", "--limit", "w1"];
  await using engine = operator.start([...args, ...only]);
  await engine.atWork("network", "w1");
  const guard = "/run/run-playbook/active-guard";
  await expect
    .poll(() => lab.exec("w1", ["test", "-e", guard]), { timeout: 10_000 })
    .toMatchObject({ code: 0 });
  await engine.kill();
  const resumed = await operator.run(["resume", "last", "--yes"]);
  expect(resumed.child.exitCode, told(resumed)).toBe(0);
  expect(resumed.said).toMatch(/in doubt: network on w1: .*\n {4}still wanted: /);
  expect(resumed.nodes("changed")).toEqual(["network on w1"]);
  const again = await operator.run([...args, ...only]);
  expect(again.nodes("ok")).toEqual(["network on w1"]);
});
