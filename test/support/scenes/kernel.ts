import fc from "fast-check";
import { FakeHost } from "#engine/host/fake/host.ts";
import * as use from "#modules/index.ts";
import { withKernel } from "../fakes/kernel.ts";
import { withSwap } from "../fakes/swap.ts";
import { FakeUnits } from "../fakes/units.ts";
import { file, hostWith, idle, put, type Scenes, scene, state } from "./scene.ts";

export const kernelScenes: Scenes = {
  sysctl: scene(
    fc.record({
      is: file,
      live: fc.tuple(fc.constantFrom("0", "1"), fc.constantFrom("1", "2")),
      want: fc.tuple(fc.constantFrom(0, 1), fc.constantFrom(1, 2)),
      state,
    }),
    ({ is, live: [forwarding, ra], want, state }) => {
      const keys = ["net.ipv6.conf.all.forwarding", "net.ipv6.conf.eth0.accept_ra"];
      const [first, second] = keys.map((key) => key.replaceAll(".", "/"));
      const sysctls = { [`${first}`]: forwarding, [`${second}`]: ra };
      return {
        host: withKernel(hostWith({ "/etc/sysctl.d/90-run-playbook.conf": is }), {
          sysctls,
          modules: {},
        }),
        state: sysctls,
        wish: use.sysctl({
          values: Object.fromEntries(keys.map((key, index) => [key, want[index] ?? 0])),
          state,
        }),
      };
    },
  ),

  "kernel-modules": scene(
    fc.record({
      is: file,
      modules: fc.record({
        overlay: fc.constantFrom("loaded" as const, "loadable" as const, "built-in" as const),
        br_netfilter: fc.constantFrom("loaded" as const, "loadable" as const),
      }),
      state,
    }),
    ({ is, modules, state }) => ({
      host: withKernel(hostWith({ "/etc/modules-load.d/run-playbook.conf": is }), {
        sysctls: {},
        modules,
      }),
      state: modules,
      wish: use.kernelModules({ modules: ["overlay", "br_netfilter"], state }),
    }),
  ),

  hostname: scene(
    fc.record({ is: file, live: fc.constantFrom("w1", "debian"), cloud: fc.boolean(), keep: file }),
    ({ is, live, cloud, keep }) => {
      const host = withKernel(hostWith({ "/etc/hostname": is }), { sysctls: {}, modules: {} });
      host.files.put("/proc/sys/kernel/hostname", live);
      if (cloud) host.files.mkdir("/etc/cloud/cloud.cfg.d");
      if (cloud) put(host, "/etc/cloud/cloud.cfg.d/99-run-playbook-hostname.cfg", keep);
      return { host, wish: use.hostname({ name: "w1" }) };
    },
  ),

  swap: scene(
    fc.record({ devices: fc.subarray(["/dev/sda2", "/dev/zram0"]), fstab: fc.boolean() }),
    ({ devices, fstab }) => {
      const host = new FakeHost();
      host.files.put(
        "/etc/fstab",
        `UUID=1 / ext4 defaults 0 1\n${fstab ? "/dev/sda2 none swap sw\n" : ""}`,
      );
      const maker = { ...idle, enabled: devices.includes("/dev/zram0"), active: true };
      const units = new FakeUnits(host, { "zramswap.service": maker }, ["zramswap.service"]);
      withSwap(host, units, devices);
      return { host, state: units.units, wish: use.swap({}) };
    },
  ),
};
