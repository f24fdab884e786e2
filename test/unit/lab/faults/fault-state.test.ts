import { describe, expect, it } from "vitest";
import { describeFaults } from "#lab/faults/fault-state.ts";
import { bridgeOf } from "#lab/network/port.ts";
import { type LabState, parseState } from "#lab/state/state.ts";
import { planState } from "#lab/up.ts";

const line = { delayMs: 50, lossPercent: 0 };

describe("faults", () => {
  it("are told in words", () => {
    expect(describeFaults({})).toEqual([]);
    expect(describeFaults({ line })).toEqual(["50 ms delay each way"]);
    expect(
      describeFaults({
        cut: true,
        line: { delayMs: 200, lossPercent: 30 },
        fill: { leaveBytes: 4096 },
      }),
    ).toEqual([
      "network cut",
      "200 ms delay and 30 % lost each way",
      "disk full but for 4096 bytes",
    ]);
  });

  it("decide where a host is plugged in: a cut one nowhere, whatever else is wrong with it", () => {
    expect(bridgeOf("w1")).toBe("br-lab");
    expect(bridgeOf("w1", { fill: { leaveBytes: 0 } })).toBe("br-lab");
    expect(bridgeOf("w1", { line })).toBe("d-w1");
    expect(bridgeOf("w1", { line, cut: true })).toBe("dark");
  });

  it("stay when the lab is brought up again, and through its file", () => {
    const state: LabState = {
      version: 1,
      name: "lab",
      dualStack: false,
      disk: "8G",
      base: "/base",
      hosts: { w1: { index: 11, power: "off", faults: { cut: true, line } } },
      services: {},
      cableFault: line,
    };
    const read = parseState(JSON.stringify(state), "state.json");
    expect(read).toEqual(state);
    const planned = planState("lab", {}, { base: "/base", earlier: read });
    expect(planned.hosts["w1"]).toEqual({ ...state.hosts["w1"], power: "on" });
    expect(planned.cableFault).toEqual(line);
  });
});
