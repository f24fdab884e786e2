import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Witness } from "#engine/run/witness.ts";
import * as use from "#modules/index.ts";
import { play } from "../../support/play.ts";
import { accountsScenes } from "../../support/scenes/accounts.ts";
import { filesScenes } from "../../support/scenes/files.ts";
import { kernelScenes } from "../../support/scenes/kernel.ts";
import { networkScenes } from "../../support/scenes/network.ts";
import type { Scene } from "../../support/scenes/scene.ts";
import { unitsScenes } from "../../support/scenes/units.ts";

const scenes = {
  ...accountsScenes,
  ...filesScenes,
  ...kernelScenes,
  ...networkScenes,
  ...unitsScenes,
};

/** All that is on a host, but for what guards leave in memory and what we keep for ourselves. */
function pictureOf({ host: { files }, state }: Scene): unknown {
  const walk = (folder: string): [string, unknown][] =>
    files.list(folder).flatMap((name) => {
      const path = folder === "/" ? `/${name}` : `${folder}/${name}`;
      if (path === "/run" || path === "/var/lib/run-playbook") return [];
      const is = files.stat(path);
      const text = is?.kind === "file" ? files.text(path) : undefined;
      return [[path, { ...is, text }], ...(is?.kind === "directory" ? walk(path) : [])];
    });
  return { files: Object.fromEntries(walk("/")), state: structuredClone(state) };
}

/** Fails a node right after one of its changes was made, wherever the test says. */
function failingAfter(share: number): { witness: Witness; changes: () => number } {
  let count = 0;
  return {
    changes: () => count,
    witness: {
      found: async (_, { changes }) => {
        count = changes.length;
      },
      changed: async (_, index) => {
        if (index === Math.floor(share * count)) throw new Error("cut here");
      },
    },
  };
}

describe("whatever a host is like, and wherever a step is cut, undoing it gives the host as it was", () => {
  test.each(Object.entries(scenes))("%s", async (_, made) => {
    let undone = 0;
    await fc.assert(
      fc.asyncProperty(
        made,
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        async (make, share) => {
          const given = make();
          const before = pictureOf(given);
          const { witness, changes } = failingAfter(share);
          const { end } = await play(
            ({ step, nodes }) => step("it", { on: nodes, onFail: "undo", ensure: given.wish }),
            { hosts: { h1: given.host }, witnesses: [witness] },
          );
          const { error } = end("it");
          expect(pictureOf(given), error?.message).toEqual(before);
          if (changes() === 0) return;
          expect(error?.message).toBe("cut here");
          expect(error?.state).toBe("undone: h1 is again as the step found it");
          undone += 1;
        },
      ),
      { numRuns: 80 },
    );
    expect(undone, "the property was tried on something").toBeGreaterThan(10);
  });

  test("every module that can be undone on a fake host is tried", () => {
    const others = [
      // Their programs come from elsewhere, or the cluster knows their state: cases walk them back.
      ...["remote-file", "runc", "etcd-tools", "cni-plugins", "kubernetes-binaries", "containerd"],
      ...["images", "cni-flannel", "cni-routed", "virtual-ip", "ipv4-watch"],
      ...["node-labels", "kubernetes-object"],
      // They change nothing.
      ...["assert-os", "cluster-nodes", "proof-targets", "kubeconfig", "kubeadm-membership"],
    ];
    const undoable = Object.values(use).flatMap((value) =>
      typeof value === "function" && "spec" in value && "undo" in value.spec
        ? [value.spec.name]
        : [],
    );
    expect(undoable.toSorted()).toEqual([...Object.keys(scenes), ...others].toSorted());
  });
});
