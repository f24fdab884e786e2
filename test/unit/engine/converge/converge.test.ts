import fs, { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  type Change,
  download,
  makeDirectory,
  remove,
  run,
  setAttributes,
  upload,
  writeFile,
} from "#engine/dsl/change.ts";
import { defineModule } from "#engine/dsl/module.ts";
import { sh } from "#engine/host/command.ts";
import { FakeHost } from "#engine/host/fake/host.ts";
import type { Host } from "#engine/host/host.ts";
import { fileOn, play } from "../../../support/play.ts";
import { realClock } from "../../../support/real-clock.ts";
import { setting } from "../../../support/settings.ts";

/** A module that makes the given changes once, as seen by a mark that the last of them leaves. */
const making = (changes: readonly Change[], { heals = true } = {}) =>
  defineModule({
    name: "making",
    summary: "Makes changes.",
    params: z.strictObject({}),
    outputs: z.object({}),
    async read(host) {
      return { done: heals && (await host.readFile("/etc/done")) !== undefined };
    },
    *diff({ done }) {
      if (!done) yield* [...changes, writeFile("/etc/done", "")];
    },
  })({});
const reading = <T>(look: (host: Host) => Promise<T>) => {
  const seen: T[] = [];
  const module = defineModule({
    name: "reading",
    summary: "Looks.",
    params: z.strictObject({}),
    outputs: z.object({}),
    async read(host) {
      seen.push(await look(host));
      return {};
    },
    *diff() {},
  });
  return { seen, ensure: module({}) };
};
const on = (host: FakeHost) => ({ hosts: { h1: host } });

describe("convergence", () => {
  test("reads once where nothing differs, and twice where something did", async () => {
    const host = new FakeHost();
    let reads = 0;
    const counting = defineModule({
      ...setting.spec,
      async read(through, want) {
        reads += 1;
        return setting.spec.read(through, want);
      },
    });
    const once = () =>
      play(
        ({ step, nodes }) => step("a", { on: nodes, ensure: counting({ value: "1" }) }),
        on(host),
      );
    expect((await once()).end("a")).toMatchObject({ outcome: "changed", changes: 1 });
    expect(reads).toBe(2);
    expect((await once()).end("a")).toMatchObject({ outcome: "ok", changes: 0 });
    expect(reads).toBe(3);
  });

  test("that leaves a difference is an error that names what is still wanted", async () => {
    const { end } = await play(({ step, nodes }) => {
      step("a", { on: nodes, ensure: making([run(sh`true`, "turn it on")], { heals: false }) });
    }, on(new FakeHost()));
    expect(end("a").error).toMatchObject({
      code: "PB_NOT_CONVERGED",
      message: 'Step "a" still wants a change on h1: turn it on; write /etc/done.',
      at: expect.stringMatching(/converge\.test\.ts:\d+$/),
      step: "a",
      host: "h1",
      state: "every change on h1 was made, and these are still wanted",
    });
  });

  test("stops at the change that fails, with its command, its end and what state it left", async () => {
    const host = new FakeHost().programs({
      fails: () => ({ code: 4, stdout: "out\n", stderr: `${"line\n".repeat(30)}last words\n` }),
    });
    const { end, recap } = await play(({ step, nodes }) => {
      step("a", {
        on: nodes,
        ensure: making([
          run(sh`true`, "one"),
          run(sh`fails ${"a b"}`, "two"),
          run(sh`true`, "three"),
        ]),
      });
    }, on(host));
    const { error } = end("a");
    expect(error).toMatchObject({
      code: "PB_COMMAND_FAILED",
      message: "fails 'a b' exited 4: last words",
      state: "1 of 4 changes on h1 were applied; running again is safe",
    });
    expect(error?.output).toHaveLength(20);
    expect(recap.exitCode).toBe(1);
  });

  test("says that a change is in doubt where the connection went while it was made: the host may go on with it", async () => {
    const host = new FakeHost();
    const { end } = await play(
      ({ step, nodes }) =>
        step("a", { on: nodes, ensure: making([run(sh`true`, "one"), run(sh`true`, "two")]) }),
      {
        ...on(host),
        hear: (event) => {
          if (event.type === "change" && event.change.say === "two") host.loseAfter = 0;
        },
      },
    );
    expect(end("a").error).toMatchObject({
      code: "PB_CONNECTION_LOST",
      state:
        "1 of 3 changes on h1 were applied; a further change was under way and is in doubt; running again reads it first",
    });
  });

  test("makes every kind of change", async () => {
    const host = new FakeHost();
    host.files.put("/etc/old", "x");
    host.files.put("/etc/kept", "x");
    await play(({ step, nodes }) => {
      step("a", {
        on: nodes,
        ensure: making([
          makeDirectory("/srv/data", { mode: 0o750, owner: "nobody" }),
          writeFile("/srv/data/file", "text", { mode: 0o600 }),
          setAttributes("/etc/kept", { mode: 0o400, owner: "nobody", group: "adm" }, "close it"),
          remove("/etc/old"),
        ]),
      });
    }, on(host));
    expect(host.files.stat("/srv/data")).toMatchObject({
      kind: "directory",
      mode: 0o750,
      owner: "nobody",
    });
    expect(host.files.stat("/srv/data/file")).toMatchObject({ mode: 0o600 });
    expect(host.files.stat("/etc/kept")).toMatchObject({
      mode: 0o400,
      owner: "nobody",
      group: "adm",
    });
    expect(host.files.stat("/etc/old")).toBeUndefined();
  });

  test("sends files and fetches them", async () => {
    const folder = await mkdtemp(join(tmpdir(), "transfer-"));
    const host = new FakeHost();
    host.files.put("/var/lib/snapshot", "saved");
    await fs.writeFile(join(folder, "here"), "sent");
    await play(
      ({ step, nodes }) => {
        step("a", {
          on: nodes,
          ensure: making([
            upload(join(folder, "here"), "/etc/there", { mode: 0o600 }),
            download("/var/lib/snapshot", join(folder, "fetched")),
          ]),
        });
      },
      { ...on(host), clock: realClock },
    );
    expect(fileOn(host, "/etc/there")).toBe("sent");
    expect(host.files.stat("/etc/there")).toMatchObject({ mode: 0o600 });
    expect(await fs.readFile(join(folder, "fetched"), "utf8")).toBe("saved");
    expect((await fs.stat(join(folder, "fetched"))).mode & 0o777).toBe(0o600);
    await fs.rm(folder, { recursive: true });
  });

  test("never removes the root, or anything by a relative path", async () => {
    const host = new FakeHost();
    const { end } = await play(({ step, nodes }) => {
      step("root", { on: nodes, ensure: making([remove("//")]) });
      step("relative", { on: nodes, ensure: making([remove("etc")]) });
    }, on(host));
    expect(end("root").error?.message).toContain("below /");
    expect(end("relative").error?.code).toBe("PB_BUG");
    expect(host.ran.some(({ argv }) => argv[0] === "rm")).toBe(false);
  });

  test("shows what is written as text, and the size of what is none", async () => {
    const { of } = await play(({ step, nodes }) => {
      step("a", {
        on: nodes,
        ensure: making([
          writeFile("/etc/text", new TextEncoder().encode("é\n"), { was: "e\n" }),
          writeFile("/etc/binary", new Uint8Array([1, 0, 2])),
          writeFile("/etc/latin1", new Uint8Array([0xe9])),
        ]),
      });
    }, on(new FakeHost()));
    expect(of("change").map(({ change }) => change.diff)).toMatchObject([
      { before: "e\n", after: "é\n" },
      { before: undefined, after: "(binary, 3 bytes)" },
      { after: "(binary, 1 bytes)" },
      { path: "/etc/done" },
    ]);
  });
});

describe("a host as modules see it", () => {
  test("runs as the step's user, in its environment, which a command may overrule", async () => {
    const host = new FakeHost();
    const { seen, ensure } = reading(async (through) => [
      await through.text({ argv: ["env"], env: { B: "command" } }),
      (await through.run(sh`id -un`)).stdout,
    ]);
    await play(({ step, nodes }) => {
      step("a", { on: nodes, as: "nobody", env: { A: "step", B: "step" }, ensure });
    }, on(host));
    expect(seen[0]).toEqual(["A=step\nB=command", "nobody\n"]);
  });

  test("reads text, tells missing from empty, and hashes", async () => {
    const host = new FakeHost();
    host.files.put("/etc/empty", "");
    const { seen, ensure } = reading((through) =>
      Promise.all([
        through.readFile("/etc/empty"),
        through.readFile("/etc/none"),
        through.sha256("/etc/empty"),
        through.sha256("/etc/none"),
        through.facts.os.codename,
      ]),
    );
    await play(({ step, nodes }) => step("a", { on: nodes, ensure }), on(host));
    expect(seen[0]).toEqual([
      "",
      undefined,
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      undefined,
      "trixie",
    ]);
  });

  test("any exit code is an answer to run, and an error of text", async () => {
    const { seen, ensure } = reading(async (through) => (await through.run(sh`false`)).code);
    const asked = reading((through) => through.text(sh`false`));
    const { end } = await play(({ step, nodes }) => {
      step("run", { on: nodes, ensure });
      step("text", { on: nodes, ensure: asked.ensure });
    }, on(new FakeHost()));
    expect(seen).toEqual([1]);
    expect(end("text").error?.code).toBe("PB_COMMAND_FAILED");
  });
});
