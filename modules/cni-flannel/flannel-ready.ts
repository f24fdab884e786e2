/** Whether flannel has made its overlay on a host. */
import { defineProbe, noParams } from "#engine/index.ts";
import { flannelDevice } from "./flannel-device.ts";

export const flannelReady = defineProbe({
  name: "flannel-ready",
  summary: "flannel runs on the host: its device is there, and it has a subnet.",
  example: "use.flannelReady({})",
  params: noParams,

  async check(host) {
    const device = await flannelDevice(host);
    return device === undefined
      ? {
          holds: false,
          saw: `no overlay on ${host.name} (kubectl -n kube-flannel get pods -o wide; see its pod's log)`,
        }
      : { holds: true, saw: `${device.name}, MTU ${device.mtu}` };
  },
});
