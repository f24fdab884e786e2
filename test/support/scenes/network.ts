import fc from "fast-check";
import { FakeHost } from "#engine/host/fake/host.ts";
import * as use from "#modules/index.ts";
import { withNetwork } from "../fakes/network.ts";
import { file, type Scenes, scene } from "./scene.ts";

export const networkScenes: Scenes = {
  netplan: scene(
    fc.record({
      own: file,
      other: fc.boolean(),
      cloud: fc.boolean(),
      last: fc.constantFrom("11", "12"),
    }),
    ({ own, other, cloud, last }) => {
      const text = (address: string) =>
        `network: { ethernets: { eth0: { addresses: ["2001:db8:1::${address}/64"] } } }\n`;
      const host = new FakeHost();
      host.files.mkdir("/etc/netplan");
      if (own.kind === "file")
        host.files.put("/etc/netplan/90-run-playbook.yaml", text("9"), { mode: own.mode });
      if (other) host.files.put("/etc/netplan/50-cloud-init.yaml", text("10"), { mode: 0o600 });
      if (cloud) host.files.mkdir("/etc/cloud/cloud.cfg.d");
      withNetwork(host);
      return {
        host,
        wish: use.netplan({
          interfaces: { eth0: { addresses: [`2001:db8:1::${last}/64`] } },
          replaces: ["/etc/netplan/50-cloud-init.yaml"],
        }),
      };
    },
  ),
};
