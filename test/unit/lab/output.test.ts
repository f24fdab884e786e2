import { stripTypeScriptTypes } from "node:module";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { defineInventory } from "#engine/dsl/inventory.ts";
import { labCommand } from "#lab/cli.ts";
import { addressState, listensOn } from "#lab/host/answers.ts";
import { netplanFile } from "#lab/host/netplan-file.ts";
import { inventorySource } from "#lab/inventory-file.ts";
import { describe as line, lineProgress, timeLeft } from "#lab/lines.ts";
import { checkMachine } from "#lab/machine/check.ts";
import { addressPlan } from "#lab/plan/address-plan.ts";
import { labPaths } from "#lab/state/paths.ts";
import type { LabState } from "#lab/state/state.ts";
import { labView } from "#lab/view.ts";

const state: LabState = {
  version: 1,
  name: "lab",
  dualStack: true,
  disk: "8G",
  base: "/base",
  hosts: { cp1: { index: 11, power: "on" }, w1: { index: 14, power: "off" } },
  services: {},
};
const view = labView(labPaths("lab", { XDG_STATE_HOME: "/s" }), state);

describe("what a lab gives to others", () => {
  it("lists hosts with their roles, and both families only in a dual-stack lab", () => {
    const plan = addressPlan("lab");
    expect(view.hosts).toEqual([
      { name: "cp1", address: plan.host(11), address4: "192.0.2.11", role: "controlPlane" },
      { name: "w1", address: plan.host(14), address4: "192.0.2.14", role: "worker" },
    ]);
    expect(view.podPrefixes).toEqual([plan.podPrefix, "203.0.113.0/24"]);
    const only6 = labView(labPaths("lab"), { ...state, dualStack: false });
    expect(only6.podPrefixes).toEqual([plan.podPrefix]);
    expect(only6.hosts.every((host) => host.address4 === undefined)).toBe(true);
  });

  it("writes an inventory that the engine understands, with the names of key files and nothing of what is in them", () => {
    const body = stripTypeScriptTypes(inventorySource(view))
      .replace(/^import .*$/m, "")
      .replace("export default", "return");
    const inventory = new Function("defineInventory", body)(defineInventory);
    expect(inventory.hosts["cp1"]).toEqual({
      address: addressPlan("lab").host(11),
      user: "root",
      identityFile: "/s/run-playbook/labs/lab/id_ed25519",
      knownHostsFile: "/s/run-playbook/labs/lab/known_hosts",
    });
    expect(inventory.groups).toEqual({ controlPlane: ["cp1"], workers: ["w1"] });
  });

  it("gives a host a static address, a gateway and nothing from routers", () => {
    const plan = addressPlan("lab");
    const only6 = parse(netplanFile({ name: "lab", dualStack: false }, 11));
    expect(only6.network.ethernets.eth0).toEqual({
      addresses: [`${plan.host(11)}/64`],
      routes: [{ to: "default", via: plan.gateway }],
      "accept-ra": false,
      "link-local": ["ipv6"],
    });
    expect(netplanFile(state, 11)).toContain("192.0.2.11/24");
  });
});

describe("readiness of a host", () => {
  const lo = "00000000000000000000000000000001 01 80 10 80       lo";
  const eth0 = (flags: string) => `fdea49e8c47f00010000000000000011 02 40 00 ${flags}     eth0`;

  it("waits for a global address that is no longer tentative", () => {
    expect(addressState(lo)).toBe("no address");
    expect(addressState(`${lo}\n${eth0("c0")}`)).toBe("address tentative");
    expect(addressState(`${lo}\n${eth0("80")}`)).toBe("usable");
  });

  it("waits for a server on the port, not for a connection from it", () => {
    const row = (state: string) =>
      `   0: 00000000000000000000000000000000:0016 00000000000000000000000000000000:0000 ${state} 0:0 00:0 0`;
    expect(listensOn(row("0A"), 22)).toBe(true);
    expect(listensOn(row("01"), 22)).toBe(false);
    expect(listensOn(row("0A"), 2222)).toBe(false);
  });
});

describe("lines", () => {
  it("say what starts and how long it takes", () => {
    expect(line({ type: "started", label: "build", expectedMs: 90_000 })).toBe(
      "build … (about 90 s)",
    );
    expect(line({ type: "done", label: "build", ms: 2345, cached: false })).toBe("build: 2.3 s");
  });

  it("are silent about what was there already", () => {
    let written = "";
    lineProgress({ write: (text) => (written += text) })({
      type: "done",
      label: "build",
      ms: 0,
      cached: true,
    });
    expect(written).toBe("");
  });

  it("never count below zero", () => {
    expect(timeLeft(30_000)).toBe("about 30 s left");
    expect(timeLeft(-1)).toBe("takes longer than expected");
  });
});

describe("command line", () => {
  it("shows an example for every command", () => {
    for (const command of labCommand().commands) {
      let help = "";
      command.configureOutput({ writeOut: (text) => (help += text) });
      command.outputHelp();
      expect(help).toContain(`$ run-playbook lab`);
    }
  });

  it("refuses a machine that is not Linux, and a user who is not root", () => {
    expect(() => checkMachine("darwin", 0)).toThrow(/darwin, not Linux/);
    expect(() => checkMachine("linux", 1000)).toThrow(/need root/);
    expect(() => checkMachine("linux", 0)).not.toThrow();
  });
});
