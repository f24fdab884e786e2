import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { run as command, writeFile as write } from "#engine/dsl/change.ts";
import { defineModule } from "#engine/dsl/module.ts";
import { secretFrom } from "#engine/dsl/ref.ts";
import { secret, secretText } from "#engine/dsl/secret.ts";
import { sh, withStdin } from "#engine/host/command.ts";
import { FakeHost } from "#engine/host/fake/host.ts";
import { type Declare, fileOn, play } from "../../../support/play.ts";
import { password, setting } from "../../../support/settings.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "secrets-"));
  process.env["TEST_SECRET"] = "planted-in-env";
});
afterAll(async () => {
  delete process.env["TEST_SECRET"];
  await rm(folder, { recursive: true });
});

const keep =
  (value: Parameters<typeof password>[0]): Declare =>
  ({ step, nodes }) => {
    step("password", { on: nodes.first, ensure: password(value) });
  };
const one = { hosts: ["h1"] };

describe("secrets come from", () => {
  test("the environment, a file, a program and the operator, each read once before any connection", async () => {
    const path = join(folder, "token");
    await writeFile(path, "planted-in-file\n");
    await chmod(path, 0o600);
    const asked: string[] = [];
    const { hosts } = await play(
      ({ step, nodes }) => {
        const env = secretFrom.env("TEST_SECRET");
        const sources = {
          env,
          again: env,
          file: secretFrom.file(path),
          command: secretFrom.command(sh`printf planted-in-program`),
          prompt: secretFrom.prompt("Password?"),
        };
        for (const [name, value] of Object.entries(sources))
          step(name, { on: nodes, ensure: setting({ name, value: value.map((s) => s.reveal()) }) });
      },
      {
        ...one,
        ask: async (question) => {
          asked.push(question);
          return "planted-by-hand";
        },
      },
    );
    const on = (name: string) => fileOn(hosts["h1"]!, `/etc/setting-${name}`);
    expect(["env", "file", "command", "prompt"].map(on)).toEqual([
      "planted-in-env",
      "planted-in-file",
      "planted-in-program",
      "planted-by-hand",
    ]);
    expect(asked).toEqual(["Password?"]);
  });

  test("nowhere: the run does not begin, and says which one and why", async () => {
    const path = join(folder, "open");
    await writeFile(path, "x");
    await chmod(path, 0o644);
    const refused = async (value: Parameters<typeof password>[0]["value" & never]) =>
      play(keep({ value }), one).then(
        () => "it ran",
        (error: Error) => error.message,
      );
    expect(await refused(secretFrom.env("NO_SUCH_SECRET") as never)).toContain(
      "The secret in $NO_SUCH_SECRET cannot be read: it is not set.",
    );
    expect(await refused(secretFrom.file(path) as never)).toContain(
      "others may read the file (mode 0644",
    );
    expect(await refused(secretFrom.file(join(folder, "none")) as never)).toContain("no such file");
    expect(
      await refused(secretFrom.command(sh`sh -c ${"echo locked >&2; exit 3"}`) as never),
    ).toContain("it exited 3: locked");
    expect(await refused(secretFrom.prompt("Password?") as never)).toContain("no terminal");
  });
});

test("a secret that cannot be what is wanted is refused before any connection, with the playbook's line", async () => {
  const host = new FakeHost();
  const wrong: Declare = ({ step, nodes }) => {
    step("init", {
      on: nodes.first,
      ensure: setting({ value: secretFrom.env("TEST_SECRET").map(() => 7) as never }),
    });
  };
  const refused = await play(wrong, { hosts: { h1: host } }).catch((error: unknown) => error);
  expect(refused).toMatchObject({
    code: "PB_PARAMS_INVALID",
    context: { step: "init", at: expect.stringMatching(/secrets\.test\.ts:\d+$/) },
  });
});

test("a secret that a playbook or a module turns into text fails there, and says where", async () => {
  const turn: Declare = ({ step, nodes }) => {
    step("text", {
      on: nodes,
      ensure: setting({ value: secretFrom.env("TEST_SECRET").map((one) => `it is ${one}`) }),
    });
  };
  const refused = await play(turn, one).catch((error: unknown) => error);
  expect(refused).toMatchObject({
    code: "PB_SECRET_MISUSED",
    context: { at: expect.stringMatching(/secrets\.test\.ts:\d+$/) },
  });
  const careless = defineModule({
    name: "careless",
    summary: "Say what it is given.",
    params: z.strictObject({ value: secret() }),
    read: async () => ({}),
    *diff(_, { value }) {
      yield command(sh`true`, `set ${value}`);
    },
  });
  const { end } = await play(({ step, nodes }) => {
    step("said", { on: nodes, ensure: careless({ value: secretFrom.env("TEST_SECRET") }) });
  }, one);
  expect(end("said").error).toMatchObject({ code: "PB_SECRET_MISUSED", step: "said", host: "h1" });
});

describe("a secret is in no event", () => {
  const planted = "s3cret-planted-value";
  const leaky = defineModule({
    name: "leaky",
    summary: "Does everything with a secret that a careless module might.",
    params: z.strictObject({ value: secret(), fail: z.boolean().default(false) }),
    outputs: z.object({ value: z.string() }),
    async read(host, { value }) {
      const now = await host.readFile("/etc/leaky");
      return { value: value.reveal(), now };
    },
    *diff({ now }, { value, fail }) {
      if (fail)
        yield command(
          withStdin({ argv: ["leak", value.reveal()] }, value),
          `leak ${value.reveal()}`,
        );
      const content = secretText`token = ${value}\n`;
      if (now !== content.reveal())
        yield write("/etc/leaky", content, { was: now, say: `write ${value.reveal()}` });
    },
  });

  test("whether it is written, read, said, printed by a program or in an error", async () => {
    process.env["TEST_SECRET"] = planted;
    const host = new FakeHost();
    host.files.put("/etc/leaky", `token = ${planted} old\n`);
    host.programs({ leak: ({ args }) => ({ code: 1, stderr: `bad token ${args[0]}\n` }) });
    const { events, hosts, end } = await play(
      ({ step, nodes }) => {
        const value = secretFrom.env("TEST_SECRET");
        const good = step("good", { on: nodes.first, ensure: leaky({ value }) });
        step("bad", { on: nodes, ensure: leaky({ value, fail: true }) });
        step("taint", { on: nodes, ensure: setting({ value: good.out.value }) });
        step("wrong", {
          on: nodes,
          ensure: setting({ value: good.out.value.map((text) => ({ text })) as never }),
        });
      },
      { hosts: { h1: host } },
    );
    process.env["TEST_SECRET"] = "planted-in-env";
    expect(fileOn(hosts["h1"]!, "/etc/leaky")).toContain(planted);
    expect(end("bad").error?.message).toBe("leak [secret] exited 1: bad token [secret]");
    expect(end("wrong").error?.message).toContain("[secret]");
    expect(JSON.stringify(events)).not.toContain(planted);
    expect(JSON.stringify(events)).toContain("[secret]");
  });

  test("and a secret file is shown with neither side of its difference", async () => {
    const host = new FakeHost();
    host.files.put("/etc/password", "last year's");
    const { of } = await play(keep({ value: "this year's" }), { hosts: { h1: host } });
    expect(of("change").map(({ change }) => change)).toEqual([{ say: "write /etc/password" }]);
  });

  test("nor is a wrong value given in a secret's place", async () => {
    await expect(play(keep({ value: 4711 as never }), one)).rejects.toThrow(
      /value: expected a secret/,
    );
    await expect(play(keep({ value: 4711 as never }), one)).rejects.not.toThrow(/4711/);
  });
});
