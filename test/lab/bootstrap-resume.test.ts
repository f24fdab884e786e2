import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { RunEvent } from "#engine/report/event.ts";
import { cli } from "../support/cli.ts";
import { random } from "../support/deaths.ts";
import type { EngineProcess } from "../support/engine-process.ts";
import { LabCluster } from "../support/lab-cluster.ts";
import { Operator } from "../support/operator.ts";

const SEED = Number(process.env["RUN_PLAYBOOK_SEED"] ?? Date.now() % 2 ** 31);

// One bootstrap of one cluster: each test goes on where the one before it was stopped or died.
const cluster = new LabCluster("kills");
const operator = new Operator(join(cluster.folder, "state"));
const next = random(SEED);
const MINUTE = 60_000;
const ANY_TIME = ["--window", "00:00-24:00"];
let bootstrap: string[] = [];

beforeAll(async () => {
  await cluster.up("cp1", "cp2", "w1");
  bootstrap = [
    "bootstrap.ts",
    ...["--inventory", await cluster.inventory([]), "--yes"],
    ...["--param", `kubeconfig=${join(cluster.folder, "kubeconfig")}`],
  ];
  process.stderr.write(`# seed ${SEED}\n`);
});
afterAll(() => cluster[Symbol.asyncDispose]());

const told = ({ events, said }: EngineProcess) =>
  `${said}\n${events.map((event) => JSON.stringify(event)).join("\n")}`;
const resume = ["resume", "last", "--yes"];
const begins = (step: string) => (event: RunEvent) =>
  event.type === "node-started" && event.step === step;
const time = (ms: number) => new Date(ms).toISOString().slice(11, 16);

/** What the newest run left in doubt, as "step on host". */
async function doubts(): Promise<string[]> {
  const shown = await cli(["show", "last", "--output", "json"], { env: operator.env });
  const { doubts } = JSON.parse(shown.stdout) as { doubts: { step: string; host: string }[] };
  return doubts.map(({ step, host }) => `${step} on ${host}`);
}

it("a window that closes in the middle stops it at a safe point, and is kept", async () => {
  // At most 15 s of it are left: it stands still for the rest of them once hosts are being prepared, however fast they
  // are, and its locks outlast that.
  const second = (Date.now() % MINUTE) / 1000;
  if (second < 45 || second > 50) await sleep(((45 - second + 60) % 60) * 1000);
  const closesAt = Math.ceil(Date.now() / MINUTE) * MINUTE;
  const window = `${time(closesAt - 2 * MINUTE)}-${time(closesAt)}@UTC`;
  await using engine = operator.start([...bootstrap, "--window", window]);
  const { child } = engine;
  const prepares = await engine.until(begins("Kubernetes programs")).then(
    () => true,
    () => false,
  );
  if (prepares && Date.now() < closesAt) {
    child.kill("SIGSTOP");
    await sleep(closesAt - Date.now());
    child.kill("SIGCONT");
  }
  const { code, recap } = await engine.ended();
  expect(code, told(engine)).toBe(4);
  expect(recap).toMatchObject({ failed: 0, stopped: { why: "window-closed" } });
  const left = recap?.stopped?.left.steps.map(({ step }) => step) ?? [];
  expect(left).toEqual(expect.arrayContaining(["first control plane", "further control planes"]));
  for (const event of engine.events)
    if (event.type === "node-started") expect(event.at).toBeLessThan(closesAt + 1000);

  const closed = await operator.run(resume);
  expect(closed.child.exitCode).toBe(4);
  expect(closed.said).toContain("PB_WINDOW_CLOSED");
});

/** Resumes, and kills the engine as the nth of so many lines of its journal is written. */
async function killedBefore(lines: number, ...more: string[]): Promise<void> {
  const line = 1 + Math.floor(lines * next());
  const death = { at: "line", line, written: "whole", ms: Math.round(1000 * next()) } as const;
  const engine = await operator.run([...resume, ...more], death);
  expect(engine.isKilled, `line ${line}\n${told(engine)}`).toBe(true);
  expect(engine.nodes("failed"), told(engine)).toEqual([]);
}

/** Resumes, and kills the engine while kubeadm is at work on a host. */
async function killedAtWork(step: string, host: string, phase: "init" | "join"): Promise<void> {
  await using engine = operator.start([...resume]);
  await engine.until(
    (event) => event.type === "change" && event.step === step && event.host === host,
    200,
  );
  await expect
    .poll(() => cluster.sh(host, `pgrep -f '^kubeadm ${phase} ' || true`), { timeout: 60_000 })
    .not.toBe("");
  await sleep(3000 * next());
  expect(await cluster.sh(host, `pgrep -f '^kubeadm ${phase} ' || true`)).not.toBe("");
  await engine.kill();
  expect(engine.nodes("failed"), told(engine)).toEqual([]);
  expect(await doubts()).toContain(`${step} on ${host}`);
}

it("killed five times, in the middle of init and of a join too, it is resumed each time", async () => {
  // What was done is only read again, in fewer lines: no cluster may be there yet when the first two end.
  const stopping = operator.journal().findIndex((line) => line.includes('"type":"stopping"'));
  const prepared = Math.floor(0.4 * stopping);
  await killedBefore(prepared, ...ANY_TIME);
  await killedBefore(prepared);
  await killedAtWork("first control plane", "cp1", "init");
  await killedAtWork("further control planes", "cp2", "join");
  await killedBefore(operator.journal().length);
});

it("and comes to its end, after which nothing is left to change", async () => {
  const engine = await operator.run(resume);
  expect(engine.child.exitCode, told(engine)).toBe(0);
  const ready = await cluster.kubectl("get", "nodes", "--no-headers");
  expect(ready.match(/^(cp1|cp2|w1) +Ready /gm)).toHaveLength(3);
  const again = await operator.run(bootstrap);
  expect(again.nodes("changed")).toEqual([]);
  expect(again.child.exitCode, told(again)).toBe(0);
});
