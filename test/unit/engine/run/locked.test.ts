import { describe, expect, test } from "vitest";
import { FakeHost } from "#engine/host/fake/host.ts";
import type { FakeAnswer } from "#engine/host/fake/programs.ts";
import { INTRODUCTION } from "#engine/host/introduction.ts";
import { lockScript, releaseScript } from "#engine/lock/lock-script.ts";
import { debian, play, type Stage } from "../../../support/play.ts";
import { type Act, Promises, scripted } from "../../../support/scripted.ts";
import { settingIs } from "../../../support/settings.ts";
import { settled, VirtualClock } from "../../../support/virtual-clock.ts";

const operator = { user: "anna", machine: "ops1" };
const bobs = "held\nunguarded\n2026-11-26-220159-k3f9\nbob\nops2\n1795730460000\n";
const free = { code: 0 };
const held = { code: 7, stdout: bobs };

/** A host whose lock answers as the test says; tells what it was asked, in order. */
function lockable(answers: (mode: string) => FakeAnswer = () => free) {
  const asked: string[] = [];
  const host = new FakeHost()
    .script(lockScript, ({ args: [mode = ""], user }) => {
      asked.push(user === "root" ? mode : `${mode} as ${user}`);
      return answers(mode);
    })
    .script(releaseScript, () => {
      asked.push("release");
      return free;
    });
  return { host, asked };
}

describe("a host that another run holds", () => {
  const locked = (stage: Stage = {}) => {
    const { module, begun } = scripted();
    const [one, two] = [lockable(() => held), lockable()];
    const playing = play(
      ({ step, gate, nodes }) => {
        gate("up", { on: nodes, until: settingIs({ value: "1" }), within: "1h" });
        step("a", { on: nodes, retries: { times: 3 }, ensure: module({ name: "a" }) });
        step("b", { on: nodes, ensure: module({ name: "b" }) });
      },
      { operator, hosts: { h1: one.host, h2: two.host }, ...stage },
    );
    two.host.files.put("/etc/setting-a", "1");
    return { playing, begun, one, two };
  };

  test("fails with who, since when and from where; all that is on it goes with it, others go on", async () => {
    const { playing, begun, one, two } = locked({ only: ["a", "b"] });
    const { recap, of, end } = await playing;
    expect(of("host-unreachable")).toMatchObject([
      {
        host: "h1",
        error: {
          code: "PB_HOST_LOCKED",
          message:
            "h1 is locked by run 2026-11-26-220159-k3f9 of bob on ops2, since 2026-11-26 22:01 UTC.",
          hint: expect.stringContaining("within 30 s"),
          state: "nothing was changed on h1",
        },
      },
    ]);
    expect(end("a", "h1")).toMatchObject({ outcome: "unreachable", why: "h1 is locked" });
    expect(end("b", "h1")).toMatchObject({ outcome: "unreachable", why: "h1 is locked" });
    // It may be looked at, and that is all.
    expect(begun()).toEqual(["a@h1", "a@h2", "b@h2"]);
    expect(of("change").map(({ host }) => host)).toEqual(["h2", "h2"]);
    expect(recap).toMatchObject({ exitCode: 1, unreachable: 2, changed: 2 });
    // Asked once: neither the second step nor the retries of the first wait for somebody else's run.
    expect([one.asked, two.asked]).toEqual([["take"], ["take", "release"]]);
  });

  test("is not waited for, whatever of that run is still under way there", async () => {
    const { playing, one } = locked({ only: ["a"] });
    one.host
      .script(INTRODUCTION, () => `${debian}calls others\n`)
      .script(/^# leftovers/, () => ({ code: 7, stdout: "tar" }));
    const { end } = await playing;
    expect(end("a", "h1")).toMatchObject({ outcome: "unreachable", why: "h1 is locked" });
    expect(one.asked).toEqual(["take"]);
  });

  test("is not waited for by a gate on it", async () => {
    const { playing, one } = locked();
    const { end } = await playing;
    expect(end("up", "h1")).toMatchObject({ outcome: "unreachable", why: "h1 is locked" });
    expect(one.asked).toEqual(["take"]);
  });
});

test("what changes nothing takes no lock: --check, gates, and hosts outside --limit", async () => {
  const { module } = scripted(() => "ok");
  const { host, asked } = lockable();
  host.files.put("/etc/setting-a", "1");
  const hosts = { h1: host };
  await play(({ step, nodes }) => step("a", { on: nodes, ensure: module({}) }), {
    operator,
    hosts,
    mode: "check",
  });
  await play(
    ({ gate, nodes }) => gate("g", { on: nodes, until: settingIs({ value: "1" }), within: "1m" }),
    { operator, hosts },
  );
  const { end } = await play(
    ({ step, host: named }) => {
      const a = step("a", { on: named("h1"), ensure: module({ name: "a" }) });
      step("b", { on: named("h2"), ensure: module({ name: "b", input: a.out.host }) });
    },
    { operator, hosts: { h1: host, h2: lockable().host }, limit: ["h2"] },
  );
  expect(end("a").outcome).toBe("ok");
  expect(asked).toEqual([]);
});

test("the control machine is locked like any host, by its user where no step there is root's", async () => {
  const { module } = scripted(() => "ok");
  const { host, asked } = lockable();
  host.loginUser = "anna";
  host.users.add("anna");
  host.sudo = "refused";
  const { recap } = await play(
    ({ step, control }) => step("a", { on: control, as: "anna", ensure: module({}) }),
    { operator, hosts: { local: host } },
  );
  expect(recap.exitCode).toBe(0);
  expect(asked).toEqual(["take as anna", "release"]);
});

test("a host is kept by heartbeats while a long step runs, and given up when they find another run there", async () => {
  const acts = new Promises<Act>();
  const { module, begun } = scripted((host, name) => (name === "a" ? acts.of(host) : "change"));
  let answer: FakeAnswer = free;
  const { host, asked } = lockable(() => answer);
  const clock = new VirtualClock({ auto: false });
  const playing = play(
    ({ step, nodes }) => {
      const a = step("a", { on: nodes, timeout: "1h", ensure: module({ name: "a" }) });
      step("b", { on: nodes, after: [a], ensure: module({ name: "b" }) });
    },
    { operator, hosts: { h1: host }, clock },
  );
  await settled();
  await clock.advance(20_000);
  expect(asked).toEqual(["take", "beat", "beat"]);
  answer = { code: 7, stdout: bobs };
  await clock.advance(10_000);
  acts.keep("h1", "change");
  const { outcomes, of, recap } = await playing;
  // What "a" found was to be changed; by then the host was another run's, so nothing is.
  expect(outcomes).toEqual({ "a @ h1": "unreachable", "b @ h1": "skipped" });
  expect(recap.changed).toBe(0);
  expect(of("host-unreachable")).toMatchObject([
    { error: { code: "PB_LOCK_LOST", message: expect.stringContaining("bob on ops2") } },
  ]);
  expect(begun()).toEqual(["a@h1"]);
  expect(recap.exitCode).toBe(1);
});

test("the lock is asked for in the same breath as the facts, before them", async () => {
  const { module } = scripted(() => "ok");
  const { host } = lockable();
  await play(({ step, nodes }) => step("a", { on: nodes, ensure: module({}) }), {
    operator,
    hosts: { h1: host },
  });
  const asked = host.ran.map(({ argv: [, , text = ""] }) =>
    text === lockScript ? "lock" : /uname/.test(text) ? "facts" : "other",
  );
  expect(asked.slice(0, 2)).toEqual(["lock", "facts"]);
});
