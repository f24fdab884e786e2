import { describe, expect, test } from "vitest";
import { z } from "zod";
import { guarded, reboot, writeFile } from "#engine/dsl/change.ts";
import { defineModule, defineProbe } from "#engine/dsl/module.ts";
import { sh } from "#engine/host/command.ts";
import { FakeHost } from "#engine/host/fake/host.ts";
import { takesGuards } from "../../../support/guard-on-fake.ts";
import { play } from "../../../support/play.ts";
import { settled, VirtualClock } from "../../../support/virtual-clock.ts";

const HOUR = 3_600_000;
const jumps = [
  ["an hour ahead", HOUR],
  ["an hour back", -HOUR],
] as const;

/** Holds at the given look; the control machine's clock is set at the second one. */
const heldAt = (look: number, clock: VirtualClock, jump: number) => {
  let looks = 0;
  return defineProbe({
    name: "held",
    summary: "Holds in the end.",
    params: z.strictObject({}),
    async check() {
      looks += 1;
      if (looks === 2) clock.jump(jump);
      return { holds: looks >= look, saw: `look ${looks}` };
    },
  })({});
};

describe.each(jumps)("the control machine's clock is set %s in the middle of a run", (_, jump) => {
  test("a gate that waits has all of its time, and holds for all of it", async () => {
    const clock = new VirtualClock();
    const { end } = await play(
      ({ gate, nodes }) =>
        gate("g", {
          on: nodes,
          within: "60s",
          holdFor: "10s",
          until: heldAt(40, clock, jump),
        }),
      { hosts: ["h1"], clock },
    );
    expect(end("g")).toMatchObject({ outcome: "ok", ms: 49_000 });
  });

  test("a gate that does not hold ends when its time is over, no sooner and no later", async () => {
    const clock = new VirtualClock();
    const { end, recap } = await play(
      ({ gate, nodes }) =>
        gate("g", { on: nodes, within: "60s", until: heldAt(1000, clock, jump) }),
      { hosts: ["h1"], clock },
    );
    expect(end("g")).toMatchObject({ outcome: "failed", error: { code: "PB_GATE_TIMEOUT" } });
    expect(end("g").ms).toBe(60_000);
    expect(recap.durationMs).toBe(60_000);
  });

  test("a step goes on with what is left of its time: no command of it has none", async () => {
    const clock = new VirtualClock({ auto: false });
    const twice = defineModule({
      name: "twice",
      summary: "Looks twice.",
      params: z.strictObject({}),
      async read(host) {
        await host.run(sh`true`);
        clock.jump(jump);
        return { printed: await host.text(sh`hostname`) };
      },
      *diff() {},
    });
    const h1 = new FakeHost().programs({
      hostname: async () => {
        await settled();
        return "h1\n";
      },
    });
    const { end } = await play(
      ({ step, nodes }) => step("a", { on: nodes, timeout: "30s", ensure: twice({}) }),
      { hosts: { h1 }, clock },
    );
    expect(end("a")).toMatchObject({ outcome: "ok", ms: 0 });
  });

  test("a guarded change is confirmed in its time", async () => {
    const clock = new VirtualClock();
    const h1 = takesGuards(
      new FakeHost().programs({ "apply-network": () => undefined, ping: () => undefined }),
      { applied: () => clock.jump(jump) },
    );
    const { end } = await play(
      ({ step, nodes }) => step("net", { on: nodes, ensure: guardedFile({}) }),
      { hosts: { h1 }, clock },
    );
    expect(end("net")).toMatchObject({ outcome: "changed" });
  });

  test("a reboot has all of its time", async () => {
    const clock = new VirtualClock();
    const h1 = new FakeHost();
    const boot = (id: number) => h1.files.put("/proc/sys/kernel/random/boot_id", `boot ${id}\n`);
    boot(1);
    h1.programs({
      systemctl: () => {
        clock.jump(jump);
        boot(2);
        return undefined;
      },
    });
    const { end } = await play(
      ({ step, nodes }) => step("boot", { on: nodes, ensure: rebooted({}) }),
      { hosts: { h1 }, clock },
    );
    expect(end("boot")).toMatchObject({ outcome: "changed" });
  });
});

const guardedFile = defineModule({
  name: "guarded-file",
  summary: "A file whose change is guarded.",
  params: z.strictObject({}),
  async read(host) {
    return { now: await host.readFile("/etc/network.conf") };
  },
  *diff({ now }) {
    if (now === "new") return;
    yield guarded({
      files: [writeFile("/etc/network.conf", "new")],
      apply: sh`apply-network`,
      verify: [sh`ping gateway`],
      within: "30s",
      say: "network",
    });
  },
});

const rebooted = defineModule({
  name: "rebooted",
  summary: "The second boot.",
  params: z.strictObject({}),
  async read(host) {
    return { id: await host.readFile("/proc/sys/kernel/random/boot_id") };
  },
  *diff({ id }) {
    if (id !== "boot 2\n") yield reboot("30s", "reboot");
  },
});
