import { afterAll, beforeAll, expect, test } from "vitest";
import { openLab } from "#lab/lab.ts";
import type { LabView } from "#lab/view.ts";
import * as use from "#modules/index.ts";
import { playOnLab } from "../support/lab-play.ts";

// A service on four hosts that is restarted in batches, and answers only a moment after it was started.
const lab = openLab("gaps");
const hosts = ["w1", "w2", "w3", "w4"];
const PORT = 8080;
let view: LabView;

beforeAll(async () => {
  await lab.down();
  view = await lab.up({ hosts, disk: "1G", bare: true, yes: true });
});
afterAll(() => lab.down());

const unit = "web.service";
const config = "/etc/web.conf";

/** The configuration everywhere, then a rolling restart: one host, then the rest. */
const roll = (content: string) =>
  playOnLab(view, ({ step, all }) => {
    const program = step("unit", {
      on: all,
      ensure: use.systemdUnit({
        name: unit,
        content: `[Service]
ExecStart=/bin/sh -c '. ${config}; sleep "$delay"; exec systemd-socket-activate --accept -l "[::]:$port" cat'
`,
      }),
    });
    const configured = step("configuration", {
      on: all,
      ensure: use.file({ path: config, content }),
    });
    step("restart", {
      on: all,
      after: [program, configured],
      ensure: use.service({ name: unit, restartAfter: [config], enabled: false, settle: "0s" }),
      rolling: {
        batch: [1, "50%", "100%"],
        maxFailed: 1,
        gate: { until: use.portOpen({ port: PORT }), holdFor: "1s", within: "8s", every: "500ms" },
      },
    });
  });

const started = async (): Promise<string[]> =>
  Promise.all(
    hosts.map(async (host) => {
      const show = ["systemctl", "show", "-p", "ExecMainStartTimestampMonotonic", "--value", unit];
      return (await lab.exec(host, show as [string, ...string[]])).stdout.trim();
    }),
  );

type Played = Awaited<ReturnType<typeof roll>>;

/** When each node of a step began, and ended, as "host": [began, ended]. */
function spans({ events }: Played, step: string): Record<string, [number, number]> {
  const found: Record<string, [number, number]> = {};
  for (const event of events) {
    if (event.type === "node-started" && event.step === step)
      found[event.host] = [event.at, Number.POSITIVE_INFINITY];
    const span = event.type === "node-finished" && event.step === step && found[event.host];
    if (span) span[1] = event.at;
  }
  return found;
}

const gate = "restart between batches";

test("each batch is restarted once the one before it answers again", async () => {
  const played = await roll(`port=${PORT} delay=1\n`);
  expect(played.errors).toEqual([]);
  expect(played.recap).toMatchObject({ changed: 12, ok: 4, exitCode: 0 });
  const restarts = spans(played, "restart");
  const gates = spans(played, gate);
  for (const [before, after] of [
    [["w1"], ["w2", "w3"]],
    [["w2", "w3"], ["w4"]],
  ] as const) {
    const open = Math.max(...before.map((host) => gates[host]?.[1] ?? Number.NaN));
    const next = Math.min(...after.map((host) => restarts[host]?.[0] ?? Number.NaN));
    expect(next).toBeGreaterThanOrEqual(open);
  }
  // It answers after a second, and has to for another one.
  for (const host of hosts)
    expect((gates[host]?.[1] ?? 0) - (gates[host]?.[0] ?? 0)).toBeGreaterThan(1000);
});

test("a second run restarts nothing, and does not wait where nothing changed", async () => {
  const before = await started();
  const again = await roll(`port=${PORT} delay=1\n`);
  expect(again.recap).toMatchObject({ changed: 0, ok: 16, exitCode: 0 });
  expect(await started()).toEqual(before);
});

test("a configuration from the future, as a clock that was ahead leaves it, restarts its service once", async () => {
  const before = await started();
  await lab.exec("w1", ["touch", "-d", "tomorrow", config]);
  const once = await roll(`port=${PORT} delay=1\n`);
  expect(once.errors).toEqual([]);
  expect(once.recap).toMatchObject({ changed: 1, exitCode: 0 });
  const now = await started();
  expect(now[0]).not.toBe(before[0]);
  expect(now.slice(1)).toEqual(before.slice(1));
  expect((await roll(`port=${PORT} delay=1\n`)).recap).toMatchObject({ changed: 0 });
});

test("a configuration that breaks the service stops at the first host; put right, the next run goes all the way", async () => {
  const before = await started();
  const broken = await roll("port=9 delay=1\n");
  expect(broken.errors).toMatchObject([{ code: "PB_GATE_TIMEOUT", host: "w1", step: gate }]);
  expect(broken.errors[0]?.message).toContain(`[::1]:${PORT}`);
  expect(broken.recap.exitCode).toBe(1);
  const skipped = broken.events.filter(
    (event) =>
      event.type === "node-finished" && event.step === "restart" && event.outcome === "skipped",
  );
  expect(skipped).toHaveLength(3);
  expect(skipped[0]).toMatchObject({
    why: 'after "restart", its gate did not hold on w1, so no further host was started',
  });
  const now = await started();
  expect(now.slice(1)).toEqual(before.slice(1));
  expect(now[0]).not.toBe(before[0]);

  // Nothing is left to change on the host that broke, but it does not answer: the others stay as they are.
  const stuck = await roll("port=9 delay=1\n");
  expect(stuck.errors).toMatchObject([{ code: "PB_GATE_TIMEOUT", host: "w1" }]);
  expect(await started()).toEqual(now);

  const right = await roll(`port=${PORT} delay=0\n`);
  expect(right.errors).toEqual([]);
  expect(right.recap.exitCode).toBe(0);
});
