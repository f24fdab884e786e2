import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Action } from "#engine/dsl/module.ts";
import type { Witness } from "#engine/run/witness.ts";
import { openLab } from "#lab/lab.ts";
import type { LabView } from "#lab/view.ts";
import * as use from "#modules/index.ts";
import { PICTURE } from "../support/host-picture.ts";
import { ensureOn, playOnLab } from "../support/lab-play.ts";
import { moduleLives } from "../support/module-lives.ts";

const lab = openLab("undo");
let view: LabView;

const exec = async (host: string, text: string) => {
  const result = await lab.exec(host, ["sh", "-c", text]);
  expect(result, text).toMatchObject({ code: 0 });
  return result.stdout;
};
const picture = async (host: string) => (await exec(host, PICTURE)).split("\n");

beforeAll(async () => {
  await lab.down();
  view = await lab.up({ hosts: ["w1", "w2"], disk: "2G", bare: true, yes: true });
});
afterAll(() => lab.down());

const addressOf = (host: string) => view.hosts.find(({ name }) => name === host)?.address ?? "";
const at = (last: string) => view.prefix.replace("::/64", `::${last}`);

/** Fails a node right after one of its changes was made: the first, or the last. */
function failingAfter(which: "first" | "last") {
  let last = 0;
  const witness: Witness = {
    found: async (_, { changes }) => {
      last = changes.length - 1;
    },
    changed: async (_, index) => {
      if (index === (which === "first" ? 0 : last)) throw new Error("cut here");
    },
  };
  return witness;
}

/** A step that is undone where it fails; it fails after that change, or by itself. */
const careful = (
  host: string,
  ensure: Action,
  { which, ...options }: { which?: "first" | "last"; timeout?: "12s" } = {},
) =>
  playOnLab(
    view,
    ({ step, on }) => step("it", { on: on(host), onFail: "undo", ensure, ...options }),
    which === undefined ? {} : { witnesses: [failingAfter(which)] },
  );

const undone = (host: string) => `undone: ${host} is again as the step found it`;

describe("every module that can be undone", () => {
  const lives = moduleLives(() => view).filter(
    ({ name, already }) => name !== "command" && already !== true,
  );

  it.each(lives)("$name: undone after its first and after its last change", async (life) => {
    const before = await picture("w1");
    for (const which of ["first", "last"] as const) {
      const { errors } = await careful("w1", life.wanted(), { which });
      expect(errors).toMatchObject([{ message: "cut here", state: undone("w1") }]);
      expect(await picture("w1")).toEqual(before);
    }
    expect((await ensureOn(view, "w1", life.wanted())).errors).toEqual([]);
    await exec("w1", life.proof);
  });

  it("a package that others need by now stays, with the reason", async () => {
    await exec("w1", "apt-get -qq -y purge less >/dev/null 2>&1; true");
    const stays = use.apt({ present: ["libjs-jquery"] });
    const needing = "apt-get -qq -y --no-install-recommends install libjs-jquery-ui >/dev/null";
    const witness: Witness = {
      changed: async () => {
        await exec("w1", needing);
        throw new Error("cut here");
      },
    };
    const { errors } = await playOnLab(
      view,
      ({ step, on }) => step("it", { on: on("w1"), onFail: "undo", ensure: stays }),
      { witnesses: [witness] },
    );
    expect(errors).toMatchObject([{ code: "PB_UNDO_FAILED" }]);
    expect(errors[0]?.message).toContain("still needed by libjs-jquery-ui");
    await exec("w1", "dpkg -s libjs-jquery libjs-jquery-ui >/dev/null");
  });
});

describe("a network that is undone", () => {
  const network = (own: string, rest: Partial<Parameters<typeof use.netplan>[0]> = {}) =>
    use.netplan({
      interfaces: { eth0: { addresses: [`${own}/64`], routes: [{ via: view.gateway }] } },
      replaces: ["/etc/netplan/50-lab.yaml"],
      within: "25s",
      ...rest,
    });

  it("goes back by a guarded change, with the file that was replaced", async () => {
    const before = await picture("w2");
    const both = use.netplan({
      interfaces: {
        eth0: {
          addresses: [`${addressOf("w2")}/64`, `${at("61")}/64`],
          routes: [{ via: view.gateway }],
        },
      },
      replaces: ["/etc/netplan/50-lab.yaml"],
      within: "25s",
    });
    const { errors, changes } = await careful("w2", both, { which: "last" });
    expect(errors).toMatchObject([{ message: "cut here", state: undone("w2") }]);
    expect(changes.join("\n")).toMatch(
      /undo: remove \/etc\/netplan\/90-run-playbook.yaml; create \/etc\/netplan\/50-lab.yaml; eth0: - /,
    );
    expect(await picture("w2")).toEqual(before);
  });

  it("goes back to the address that the host was reached at", async () => {
    const before = await picture("w2");
    const moved = network(at("72"), { address: at("72") });
    const { errors } = await careful("w2", moved, { which: "last" });
    expect(errors).toMatchObject([{ message: "cut here", state: undone("w2") }]);
    expect(await picture("w2")).toEqual(before);
    expect((await ensureOn(view, "w2", use.assertOs({}))).recap).toMatchObject({ ok: 1 });
  });

  it("is left to the host where the step was cut off while it could still be confirmed", async () => {
    const before = await picture("w2");
    const deaf = network(addressOf("w2"), { peers: [at("dead")] });
    const { errors } = await careful("w2", deaf, { timeout: "12s" });
    expect(errors).toMatchObject([{ code: "PB_STEP_TIMEOUT", state: undone("w2") }]);
    expect(await picture("w2")).toEqual(before);
  });
});
