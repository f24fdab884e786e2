import { expect, test } from "vitest";
import { FakeHost } from "#engine/host/fake/host.ts";
import * as use from "#modules/index.ts";
import { fileOn, play } from "../../support/play.ts";

/** A host whose kernel can load modules: real lab hosts may run on one that cannot. */
function modularHost(loaded: Set<string>): FakeHost {
  const host = new FakeHost();
  host.files.mkdir("/etc/modules-load.d");
  host.script(/^# kernel-modules-state/, ({ args }) =>
    ["modular", ...args.map((name) => (loaded.has(name) ? "loaded" : "loadable")), ""].join("\n"),
  );
  return host.programs({
    modprobe: ({ args }) => {
      loaded.add(args.at(-1) ?? "");
      return undefined;
    },
  });
}

test("modules are loaded and listed once, and loaded again after somebody unloaded one", async () => {
  const loaded = new Set(["overlay"]);
  const hosts = { h1: modularHost(loaded) };
  const converge = () =>
    play(
      ({ step, all }) => {
        step("modules", {
          on: all,
          ensure: use.kernelModules({ modules: ["overlay", "br_netfilter"] }),
        });
      },
      { hosts },
    );

  expect((await converge()).outcomes).toEqual({ "modules @ h1": "changed" });
  expect([...loaded]).toEqual(["overlay", "br_netfilter"]);
  expect(fileOn(hosts.h1, "/etc/modules-load.d/run-playbook.conf")).toBe("overlay\nbr_netfilter\n");

  expect((await converge()).outcomes).toEqual({ "modules @ h1": "ok" });

  loaded.delete("br_netfilter");
  const repaired = await converge();
  expect(repaired.of("change").map(({ change }) => change.say)).toEqual([
    "load kernel module br_netfilter",
  ]);
  expect((await converge()).outcomes).toEqual({ "modules @ h1": "ok" });
});
