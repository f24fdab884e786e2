/**
 * The network of a host, by netplan. A change is guarded: the host goes back by itself unless all wanted addresses are
 * usable, the gateways and peers answer and the engine has reached the host anew. How peers are asked where there is no
 * ping stands in ../reach-script.ts.
 *
 * On a member of a Kubernetes cluster the addresses stay: etcd, certificates and the Node object hold them.
 */
import { z } from "zod";
import {
  defineModule,
  guarded,
  type Host,
  makeDirectory,
  PlaybookError,
  type RunResult,
  remove,
  script,
  sh,
  writeFile,
} from "#engine/index.ts";
import { isLinkLocal } from "../address.ts";
import { invalid } from "../answer.ts";
import { isClusterMember } from "../cluster-member.ts";
import { keepFile, readManaged } from "../managed-file.ts";
import { REACH } from "../reach-script.ts";
import { APPLY } from "./apply-script.ts";
import { type LiveNow, liveDifferences, parseLive } from "./live.ts";
import { configuredBy, effective } from "./other-files.ts";
import { hostPart, Params, type Want } from "./params.ts";
import { refuseBroken, refuseConflicts, refuseLoss, refuseMissing } from "./refusals.ts";
import { render } from "./render.ts";
import { FILES, USABLE } from "./scripts.ts";
import { addressesIn, CLOUD_INIT, filesBack, wayBack } from "./undo.ts";

export const netplan = defineModule({
  name: "netplan",
  summary:
    "Keep interfaces' addresses, routes and resolvers by netplan; a change that cuts the host off is undone.",
  example: `use.netplan({
  interfaces: {
    eth0: {
      addresses: ["2001:db8:1::11/64"],
      routes: [{ via: "2001:db8:1::1" }],
      nameservers: ["2001:db8:1::53"],
    },
  },
  peers: ["2001:db8:1::12"],
})`,
  params: Params,

  outputs: z.object({
    addresses: z
      .record(z.string(), z.array(z.string()))
      .describe("Global addresses by interface, with prefix length, as they are now."),
  }),

  async read(host, want) {
    const [tool, file, listed, links, member, nodeIps, cloud, silence, replaced] =
      await Promise.all([
        host.run(script("# netplan-there\ncommand -v netplan")),
        readManaged(host, want.file),
        host.text(script(FILES)),
        readLive(host),
        isClusterMember(host),
        host.readFile("/var/lib/kubelet/kubeadm-flags.env"),
        host.stat("/etc/cloud/cloud.cfg.d"),
        readManaged(host, CLOUD_INIT, { folder: "packaged" }),
        Promise.all(want.replaces.map((path) => readManaged(host, path))),
      ]);
    if (tool.code !== 0)
      throw new PlaybookError("PB_TOOL_MISSING", ["netplan", "nothing reads its files"], {
        host: host.name,
      });
    const { contents, drivers, refused } = decode(listed);
    const live = withDrivers(links, drivers);
    const files = contents.map(([path]) => path);
    const declared = contents.flatMap(([path, text]) => configuredBy(path, text, live));
    const counts = effective(files);
    return {
      addresses: Object.fromEntries(
        Object.entries(live.links).map(([name, link]) => [name, [...link.addresses]]),
      ),
      file,
      live,
      files,
      declared,
      configured: declared.filter(({ path }) => counts.includes(path)),
      refused,
      member,
      nodeIps: /--node-ip=([^\s"]+)/.exec(nodeIps ?? "")?.[1]?.split(",") ?? [],
      cloud: cloud !== undefined,
      silence,
      replaced,
    };
  },

  *diff(now, want) {
    refuseMissing(now.live, want);
    refuseConflicts(now, want);
    refuseBroken(now.refused, want);
    if (now.member) refuseLoss(now, addressesIn(want));
    if (now.file.lacks.length > 0) yield makeDirectory("/etc/netplan");
    const wanted = { path: want.file, content: render(want), mode: 0o600 };
    const [own] = keepFile({ ...now.file, lacks: [] }, wanted);
    // Mode and owner alone cut no connection.
    if (own?.op === "attributes") yield own;
    const files = [
      ...(own?.op === "write" ? [own] : []),
      ...want.replaces.filter((path) => now.files.includes(path)).map(remove),
    ];
    const differences = [...files.map(({ say }) => say), ...liveDifferences(now.live, want)];
    if (differences.length === 0) return;
    yield guarded({
      files: [...files, ...silenceCloudInit(now.cloud, want)],
      apply: script(APPLY, ...Object.keys(want.interfaces)),
      address: want.address,
      verify: verify(want),
      within: want.within,
      say: differences.join("; "),
    });
  },

  *undo(before, now, want) {
    const { files, others } = filesBack(before, now, want);
    if (files.length > 0) {
      const back = wayBack(before, now, want);
      if (now.member) refuseLoss(now, back.addresses);
      yield guarded({
        files,
        apply: script(APPLY, ...Object.keys(want.interfaces)),
        address: back.address,
        verify: Object.entries(back.addresses).map(([name, own]) => usable(name, own)),
        within: want.within,
        say: [...files.map(({ say }) => say), ...back.differences].join("; "),
      });
    }
    yield* others;
  },
});

async function readLive(host: Host): Promise<LiveNow> {
  const [links, six, four] = await Promise.all([
    host.text(sh`ip -json address show`),
    host.run(sh`ip -json -6 route show`),
    host.run(sh`ip -json -4 route show`),
  ]);
  // A host without a family has no table of it.
  const table = ({ code, stdout }: RunResult) => (code === 0 ? stdout : "");
  return parseLive(links, [table(six), table(four)]);
}

/** Files and interfaces of a host, with room. */
const MOST_LINES = 4096;

/** What {@link FILES} prints. */
function decode(listed: string) {
  const lines = listed.split("\n").filter(Boolean);
  if (lines.length > MOST_LINES)
    throw invalid("netplan's folders", `they and its interfaces fill over ${MOST_LINES} lines`);
  const text = (encoded: string) => Buffer.from(encoded, "base64").toString("utf8");
  const rows = lines.map((line) => line.split(" "));
  // No base64 is as long as these two words are.
  const drivers = rows.flatMap(([kind, name = "", driver = ""]) =>
    kind === "driver" ? [[name, driver] as const] : [],
  );
  const refused = rows.find(([kind]) => kind === "refused")?.[1];
  const contents = rows
    .filter(([kind]) => kind !== "driver" && kind !== "refused")
    .map(([encoded = "", ...path]): [string, string] => [path.join(" "), text(encoded)]);
  return { contents, drivers, refused: refused === undefined ? undefined : text(refused) };
}

const withDrivers = (live: LiveNow, drivers: readonly (readonly [string, string])[]): LiveNow => ({
  ...live,
  links: Object.fromEntries(
    Object.entries(live.links).map(([name, link]) => {
      const driver = drivers.find(([own]) => own === name)?.[1];
      return [name, driver === undefined ? link : { ...link, driver }];
    }),
  ),
});

// cloud-init would write the file that was replaced again at the next boot.
const silenceCloudInit = (cloud: boolean, { replaces }: Want) =>
  cloud && replaces.some((path) => path.endsWith("cloud-init.yaml"))
    ? [writeFile(CLOUD_INIT, "network: { config: disabled }\n")]
    : [];

function verify({ interfaces, peers }: Want) {
  const all = Object.entries(interfaces).map(([name, { addresses }]) => usable(name, addresses));
  const gateways = Object.entries(interfaces).flatMap(([name, { routes }]) =>
    routes.map(({ via }) => (isLinkLocal(via) ? `${via}%${name}` : via)),
  );
  const answering = [...new Set([...gateways, ...peers])];
  return answering.length === 0 ? all : [...all, script(REACH, 1, ...answering)];
}

const usable = (name: string, addresses: readonly string[]) =>
  script(USABLE, name, ...addresses.map(hostPart));
