import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { applyGuarded, settleGuards } from "#engine/converge/guard.ts";
import type { Applying } from "#engine/converge/reached.ts";
import { guarded, remove, writeFile } from "#engine/dsl/change.ts";
import { Secret } from "#engine/dsl/secret.ts";
import { isPlaybookError, PlaybookError } from "#engine/errors/error.ts";
import { script, sh, withStdin } from "#engine/host/command.ts";
import { realClock } from "../../../support/real-clock.ts";
import { ThisMachine } from "../../../support/this-machine.ts";
import { VirtualClock } from "../../../support/virtual-clock.ts";

interface Setting {
  readonly signal?: AbortSignal;
  readonly doubt?: Applying["doubt"];
}
const applying = (machine: ThisMachine, { signal, doubt }: Setting = {}): Applying => ({
  doubt: doubt ?? (() => undefined),
  on: machine.reached,
  clock: realClock,
  manner: {
    as: "root",
    env: {},
    left: () => 60_000,
    signal: signal ?? new AbortController().signal,
  },
});
const text = (path: string) => (existsSync(path) ? readFileSync(path, "utf8") : undefined);

/** Applying copies what is configured to what is live, and counts how often. */
const live = (machine: ThisMachine, { code = 0, after = "" } = {}) =>
  script(`cp "$1/conf" "$1/live"; echo x >>"$1/times"; ${after} exit ${code}`, machine.folder);
const change = (machine: ThisMachine, rest: Partial<Parameters<typeof guarded>[0]> = {}) =>
  guarded({
    files: [writeFile(machine.path("conf"), "new\n")],
    apply: live(machine),
    verify: [sh`grep -q new ${machine.path("live")}`],
    within: "3s",
    say: "conf: old → new",
    ...rest,
  });
async function machineWith(conf = "old\n") {
  const machine = await ThisMachine.open();
  writeFileSync(machine.path("conf"), conf, { mode: 0o640 });
  writeFileSync(machine.path("live"), conf);
  return machine;
}
const failure = (promise: Promise<unknown>): Promise<PlaybookError> =>
  promise.then(
    () => {
      throw new Error("it did not fail");
    },
    (error: unknown) => {
      if (isPlaybookError(error)) return error;
      throw error;
    },
  );
const guards = (machine: ThisMachine) =>
  readdirSync(machine.path("run")).filter((name) => name.startsWith("guard-"));
async function until(holds: () => boolean, seconds = 15): Promise<void> {
  for (let left = seconds * 10; !holds(); left -= 1) {
    if (left === 0) throw new Error("it never came to hold");
    await realClock.wait(100);
  }
}

describe.concurrent("a guarded change", { timeout: 30_000 }, () => {
  test("is made, checked over a new connection and kept", async () => {
    await using machine = await machineWith();
    await applyGuarded(change(machine), applying(machine));
    expect(text(machine.path("live"))).toBe("new\n");
    expect(machine.reconnected).toEqual(["old"]);
    await settleGuards(machine.reached.connection, "w1");
    await realClock.wait(3000);
    expect(text(machine.path("conf"))).toBe("new\n");
    expect(text(machine.path("times"))).toBe("x\n");
  });

  test("that is verified by nothing true is undone by the host, which applies the old files again", async () => {
    await using machine = await machineWith();
    const error = await failure(
      applyGuarded(
        change(machine, {
          files: [
            writeFile(machine.path("conf"), "new\n"),
            writeFile(machine.path("extra"), "was not there"),
          ],
          verify: [sh`false`],
        }),
        applying(machine),
      ),
    );
    expect(error).toMatchObject({
      code: "PB_ROLLED_BACK",
      message: "The change was not confirmed, so w1 put everything back: false exited 1.",
      context: { state: 'w1 works as before, without "conf: old → new"' },
    });
    expect(text(machine.path("conf"))).toBe("old\n");
    expect(statSync(machine.path("conf")).mode & 0o777).toBe(0o640);
    expect(text(machine.path("live"))).toBe("old\n");
    expect(existsSync(machine.path("extra"))).toBe(false);
    expect(text(machine.path("times"))).toBe("x\nx\n");
  });

  test("goes back to what was live, though the old files were never applied", async () => {
    await using machine = await machineWith("never applied\n");
    writeFileSync(machine.path("live"), "live\n");
    const apply = script(
      `[ "$GUARD_STEP" != apply ] || cp "$1/live" "$GUARD_KEPT/live"
      cp "$1/conf" "$1/live"
      [ "$GUARD_STEP" != revert ] || cp "$GUARD_KEPT/live" "$1/live"`,
      machine.folder,
    );
    const error = await failure(
      applyGuarded(change(machine, { apply, verify: [sh`false`] }), applying(machine)),
    );
    expect(error.code).toBe("PB_ROLLED_BACK");
    expect(text(machine.path("conf"))).toBe("never applied\n");
    expect(text(machine.path("live"))).toBe("live\n");
  });

  test("whose command fails is undone at once, with what the command said", async () => {
    await using machine = await machineWith();
    const error = await failure(
      applyGuarded(
        change(machine, {
          apply: script(
            'grep -q old "$1" || { echo "bad gateway" >&2; exit 4; }',
            machine.path("conf"),
          ),
          within: "50s",
        }),
        applying(machine),
      ),
    );
    expect(error).toMatchObject({
      code: "PB_ROLLED_BACK",
      message: expect.stringContaining("the command exited 4"),
      context: { output: expect.arrayContaining(["bad gateway"]) },
    });
    expect(text(machine.path("conf"))).toBe("old\n");
  });

  test("leaves nothing behind of what it put in place or printed: it may be secret", async () => {
    for (const code of [0, 4]) {
      await using machine = await machineWith();
      const says = script('echo planted; exit "$1"', code);
      const apply = withStdin(says, "planted");
      const files = [writeFile(machine.path("conf"), "planted\n")];
      const made = applyGuarded(change(machine, { apply, files }), applying(machine));
      await made.catch((error: unknown) => {
        if (!isPlaybookError(error)) throw error;
      });
      const left = () =>
        readdirSync(machine.path("run"), { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name))
          .filter((path) => text(path)?.includes("planted"));
      await expect.poll(left, { timeout: 5_000 }).toEqual([]);
    }
  });

  test("whose command hangs is undone when the time is up", async () => {
    await using machine = await machineWith();
    const hangs = script(
      'grep -q old "$1/conf" && cp "$1/conf" "$1/live" || { echo $$ >"$1/pid"; sleep 600; }',
      machine.folder,
    );
    const error = await failure(applyGuarded(change(machine, { apply: hangs }), applying(machine)));
    expect(error.code).toBe("PB_ROLLED_BACK");
    expect(text(machine.path("conf"))).toBe("old\n");
    // Dead, though maybe not yet waited for by whoever inherited it.
    expect(text(`/proc/${text(machine.path("pid"))?.trim()}/cmdline`) ?? "").toBe("");
  });

  test("that cuts the connection goes on at the new address", async () => {
    await using machine = await machineWith();
    machine.answers = (address) => address === "2001:db8::2";
    const { connection } = machine.reached;
    const run = connection.run.bind(connection);
    connection.run = async (command, options) => {
      const result = await run(command, options);
      if (command.argv.some((word) => word.includes("setsid sh"))) machine.cut();
      return result;
    };
    await applyGuarded(change(machine, { address: "2001:db8::2" }), applying(machine));
    expect(text(machine.path("live"))).toBe("new\n");
    expect(new Set(machine.reconnected)).toEqual(new Set(["2001:db8::2"]));
  });

  test("that leaves the host answering only where it did before is undone, and says so", async () => {
    await using machine = await machineWith();
    machine.answers = (address) => address === "old";
    const error = await failure(
      applyGuarded(change(machine, { address: "2001:db8::2" }), applying(machine)),
    );
    expect(error.code).toBe("PB_ROLLED_BACK");
    expect(machine.reconnected.at(-1)).not.toBe("2001:db8::9");
    expect(text(machine.path("live"))).toBe("old\n");
  });

  test("is undone by the host alone when the engine is killed before it confirms", async () => {
    await using machine = await machineWith();
    const killed = new AbortController();
    const doubts: unknown[] = [];
    const made = applyGuarded(
      change(machine, { verify: [sh`false`] }),
      applying(machine, { signal: killed.signal, doubt: (state) => doubts.push(state) }),
    );
    const ended = expect(made).rejects.toThrow();
    await until(() => text(machine.path("live")) === "new\n");
    killed.abort(new PlaybookError("PB_STEP_CUT", ["net", "w1"]));
    await ended;
    expect(doubts).toEqual([expect.stringContaining("w1 puts everything back by itself")]);
    await until(() => text(machine.path("live")) === "old\n");
    await settleGuards(machine.reached.connection, "w1");
    expect(text(machine.path("conf"))).toBe("old\n");
    expect(existsSync(machine.path("run/active-guard"))).toBe(false);
  });

  test("puts back what it was to remove, and leaves no secret behind", async () => {
    await using machine = await machineWith();
    const error = await failure(
      applyGuarded(
        change(machine, {
          files: [
            remove(machine.path("conf")),
            writeFile(machine.path("key"), new Secret("planted-key"), { mode: 0o600 }),
          ],
          apply: sh`true`,
          verify: [sh`false`],
        }),
        applying(machine),
      ),
    );
    expect(error.code).toBe("PB_ROLLED_BACK");
    expect(text(machine.path("conf"))).toBe("old\n");
    expect(existsSync(machine.path("key"))).toBe(false);
    const [guard = ""] = guards(machine);
    expect(
      readdirSync(machine.path(`run/${guard}`)).filter((name) => /entry|stdin/.test(name)),
    ).toEqual([]);
  });

  test("keeps another one out until it is over, and the next run waits for it", async () => {
    await using machine = await machineWith();
    const first = failure(
      applyGuarded(change(machine, { verify: [sh`false`], within: "6s" }), applying(machine)),
    );
    await until(() => text(machine.path("live")) === "new\n");
    const second = await failure(applyGuarded(change(machine), applying(machine)));
    expect(second.code).toBe("PB_GUARD_BUSY");
    await settleGuards(machine.reached.connection, "w1");
    expect(text(machine.path("conf"))).toBe("old\n");
    expect((await first).code).toBe("PB_ROLLED_BACK");
  });

  test("that a restart of the host forgot is not called undone", async () => {
    await using machine = await machineWith();
    const made = failure(applyGuarded(change(machine, { verify: [sh`false`] }), applying(machine)));
    await until(() => text(machine.path("live")) === "new\n");
    rmSync(machine.path("run"), { recursive: true, force: true });
    expect(await made).toMatchObject({
      code: "PB_ROLLBACK_FAILED",
      message: expect.stringContaining("started anew"),
    });
  });

  test("runs its command with the environment, the folder and the input that it asks for", async () => {
    await using machine = await machineWith();
    const apply = {
      ...script('cat >"$1"; echo "$COLOUR in $PWD" >>"$1"', machine.path("said")),
      env: { COLOUR: "it's red" },
      cwd: machine.folder,
      stdin: new Secret("typed\n"),
    };
    await applyGuarded(change(machine, { apply, verify: [] }), applying(machine));
    expect(text(machine.path("said"))).toBe(`typed\nit's red in ${machine.folder}\n`);
  });
});

test("a host that never answers again is lost, and the error says what it was to do", {
  timeout: 30_000,
}, async () => {
  await using machine = await machineWith();
  machine.answers = () => false;
  const { connection } = machine.reached;
  const run = connection.run.bind(connection);
  connection.run = async (command, options) => {
    const result = await run(command, options);
    if (command.argv.some((word) => word.includes("setsid sh"))) machine.cut();
    return result;
  };
  const error = await failure(
    applyGuarded(change(machine), { ...applying(machine), clock: new VirtualClock() }),
  );
  expect(error).toMatchObject({ code: "PB_HOST_LOST", hint: expect.stringContaining("console") });
  await until(
    () => text(machine.path("live")) === "old\n" && text(machine.path("times")) === "x\nx\n",
  );
  await until(() => !existsSync(machine.path("run/active-guard")));
});
