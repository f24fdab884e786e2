import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { cgroupLayout, hierarchies, pidsIn, removeGroups } from "#lab/machine/cgroups.ts";

const v1 = `tmpfs /sys/fs/cgroup tmpfs rw 0 0
cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0
cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0
cgroup /sys/fs/cgroup/systemd cgroup rw,name=systemd 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0
cgroup /other/place/memory cgroup rw,memory 0 0
`;

describe("control groups", () => {
  it("are one per hierarchy on v1, the named one and the v2 one included", () => {
    const machine = { unified: false, mounts: v1, systemd: false };
    expect(cgroupLayout(machine, "rpl.lab.cp1")).toEqual({
      version: "v1",
      groups: ["cpu,cpuacct", "memory", "systemd", "unified"].map(
        (name) => `/sys/fs/cgroup/${name}/rpl.lab.cp1`,
      ),
    });
  });

  it("are a delegated scope where systemd manages v2", () => {
    const machine = { unified: true, mounts: "", systemd: true };
    expect(cgroupLayout(machine, "rpl.lab.cp1")).toEqual({
      version: "v2",
      scope: "rpl.lab.cp1.scope",
      groups: ["/sys/fs/cgroup/machine.slice/rpl.lab.cp1.scope"],
    });
  });

  it("are one group of the lab's own on v2 without systemd", () => {
    const machine = { unified: true, mounts: "", systemd: false };
    expect(cgroupLayout(machine, "rpl.lab.cp1")).toEqual({
      version: "v2",
      groups: ["/sys/fs/cgroup/rpl.lab.cp1"],
    });
  });

  it("come from mounts below /sys/fs/cgroup only", () => {
    expect(hierarchies(v1)).not.toContain("/other/place/memory");
  });

  it("are removed with all below them, and missing ones are no failure", async () => {
    const folder = await mkdtemp(join(tmpdir(), "lab-groups-"));
    await mkdir(join(folder, "host/payload/system.slice"), { recursive: true });
    await removeGroups([join(folder, "host"), join(folder, "none")]);
    expect(await readdir(folder)).toEqual([]);
    expect(await pidsIn([join(folder, "host")])).toEqual([]);
    await rm(folder, { recursive: true });
  });
});
