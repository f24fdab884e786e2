/** One address for the API, on whichever control plane can serve it. */
import { z } from "zod";
import { defineModule, type Host, PlaybookError, sh } from "#engine/index.ts";
import { HostAddr } from "#engine/net/host-addr.ts";
import { familyOf } from "#engine/net/ip.ts";
import { templateFile } from "#engine/template/template.ts";
import { HostAddress } from "../address.ts";
import { keepAway, keepFile, readManaged } from "../managed-file.ts";
import { State } from "../params.ts";
import { undoFiles } from "../undo-file.ts";
import {
  dropUnitProcess,
  keepUnitProcess,
  readUnitProcess,
  undoUnitProcess,
} from "../unit-process.ts";

const unit = "keepalived.service";
const configPath = "/etc/keepalived/keepalived.conf";
const checkPath = "/etc/keepalived/check-apiserver";
/** More than priorities differ, so that an API that answers always outweighs the order. */
const weight = 50;

const Params = z
  .strictObject({
    address: HostAddress.describe("The virtual IP; on no host."),
    self: HostAddress.describe("This host's own address."),
    hosts: z
      .array(HostAddress)
      .min(1)
      .max(weight)
      .refine((all) => new Set(all).size === all.length, "an address is given twice")
      .describe("The addresses of all control planes; the first one wins while no API runs."),
    port: z.int().min(1).max(65535).default(6443).describe("Of the API server."),
    routerId: z
      .int()
      .min(1)
      .max(255)
      .default(66)
      .describe("Tells this virtual IP from others on the link."),
    state: State,
  })
  // Nobody would tell a host that is not among them that the address is taken: it would take it too.
  .refine(({ self, hosts }) => hosts.includes(self), {
    path: ["self"],
    message: "expected one of `hosts`",
  })
  .refine(({ address, hosts }) => !hosts.includes(address), {
    path: ["address"],
    message: "this is the address of a host: the virtual IP is on none",
  })
  // One VRRP instance speaks one family, and its addresses are of that.
  .refine(({ address, hosts }) => hosts.every((own) => familyOf(own) === familyOf(address)), {
    path: ["hosts"],
    message: "expected addresses of the virtual IP's family",
  });

interface ConfigValues extends Readonly<Record<string, unknown>> {
  readonly device: string;
  readonly self: string;
  readonly peers: readonly string[];
  readonly priority: number;
  readonly weight: number;
  readonly routerId: number;
  readonly address: string;
  readonly prefix: number;
  readonly checkPath: string;
}

const config = templateFile<ConfigValues>(new URL("keepalived.conf.hbs", import.meta.url));
const check = templateFile<{ server: string }>(new URL("check-apiserver.hbs", import.meta.url));

export const virtualIp = defineModule({
  name: "virtual-ip",
  summary: "Keep one address on a control plane whose API answers (keepalived, unicast VRRPv3).",
  example: `use.virtualIp({
  address: "2001:db8:1::100",
  self: "2001:db8:1::11",
  hosts: ["2001:db8:1::11", "2001:db8:1::12", "2001:db8:1::13"],
})`,
  params: Params,

  async read(host, want) {
    const [device, configNow, checkNow, process] = await Promise.all([
      deviceOf(host, want.self),
      readManaged(host, configPath),
      readManaged(host, checkPath),
      readUnitProcess(host, unit, { files: [configPath], by: "reload" }),
    ]);
    return { device, configNow, checkNow, process };
  },

  *diff(now, want) {
    if (want.state === "absent") {
      yield* dropUnitProcess(unit, now.process);
      yield* keepAway(now.configNow, configPath);
      yield* keepAway(now.checkNow, checkPath);
      return;
    }
    const ipv6 = familyOf(want.address) === "IPv6";
    const loopback = ipv6 ? "::1" : "127.0.0.1";
    const peers = want.hosts.filter((own) => own !== want.self);
    const content = config({
      device: now.device,
      self: want.self,
      // Without any peer keepalived multicasts, and would listen to other clusters: a host alone tells itself.
      peers: peers.length > 0 ? peers : [loopback],
      priority: 100 - want.hosts.indexOf(want.self),
      weight,
      routerId: want.routerId,
      address: want.address,
      prefix: ipv6 ? 128 : 32,
      checkPath,
    });
    const server = `https://${HostAddr.parse(loopback).hostPort(want.port)}`;
    const checks = keepFile(now.checkNow, {
      path: checkPath,
      content: check({ server }),
      mode: 0o755,
    });
    yield* checks;
    const files = [...keepFile(now.configNow, { path: configPath, content })];
    yield* files;
    yield* keepUnitProcess(unit, now.process, {
      unit: false,
      files: files.length > 0,
      by: "reload",
    });
  },

  *undo(before, now) {
    const files = [
      ...undoFiles(
        { path: configPath, before: before.configNow, now: now.configNow },
        { path: checkPath, before: before.checkNow, now: now.checkNow },
      ),
    ];
    const process = { before: before.process, now: now.process };
    yield* undoUnitProcess(unit, process, { files, by: "reload" });
  },
});

async function deviceOf(host: Host, address: string): Promise<string> {
  const { stdout } = await host.run(sh`ip -o address show to ${address}`);
  const device = /^\d+:\s+(\S+)/.exec(stdout)?.[1];
  if (device === undefined)
    throw new PlaybookError("PB_ADDRESS_PLAN", [address, `is on no device of ${host.name}`], {
      hint: "Give the host this address first (netplan), or mend its entry in the address plan.",
    });
  // The kernel allows almost any character in a name; keepalived's file begins a comment at some, and a definition at others.
  if (!/^[\w.-]+$/.test(device))
    throw new PlaybookError("PB_UNSUPPORTED_HOST", [
      `The interface "${device}"`,
      "a name of letters, digits, dots and hyphens",
    ]);
  return device;
}
