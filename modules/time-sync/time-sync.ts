/**
 * The clock follows time servers. chrony where it is installed, else systemd-timesyncd. A container has no clock of its
 * own: there only the configuration is kept, and the machine around it is taken to keep the time.
 */
import { z } from "zod";
import { defineModule, defineProbe, type Host, PlaybookError } from "#engine/index.ts";
import { Address } from "../address.ts";
import { keepFile, readManaged } from "../managed-file.ts";
import { undoFiles } from "../undo-file.ts";
import { keepUnit, readUnit, undoUnit } from "../unit-state.ts";

const Server = z
  .union(
    [
      Address,
      z
        .string()
        .max(253)
        .regex(/^([\w-]+\.)*[a-z][\w-]*\.?$/i),
    ],
    {
      error: "expected a host name or an address without brackets, as 2001:db8::123",
    },
  )
  // Names are the same in either case (RFC 4343), and so are the letters of addresses.
  .transform((server) => server.toLowerCase());

const TIMESYNCD = {
  unit: "systemd-timesyncd.service",
  path: "/etc/systemd/timesyncd.conf.d/90-run-playbook.conf",
  render: (servers: readonly string[]) => `[Time]\nNTP=${servers.join(" ")}\n`,
};
const CHRONY = {
  unit: "chrony.service",
  path: "/etc/chrony/sources.d/run-playbook.sources",
  render: (servers: readonly string[]) =>
    servers.map((server) => `server ${server} iburst\n`).join(""),
};

export const timeSync = defineModule({
  name: "time-sync",
  summary: "Keep the clock following the given time servers, with chrony or systemd-timesyncd.",
  example: `use.timeSync({ servers: ["2001:db8:1::123"] })`,
  params: z.strictObject({
    servers: z
      .array(Server)
      .min(1)
      .describe("Names, or addresses without brackets; on IPv6-only hosts they need IPv6."),
  }),
  outputs: z.object({
    daemon: z.string().describe("The unit that keeps the time."),
  }),

  async read(host) {
    const [chrony, timesyncd, container, chronyFile, timesyncdFile] = await Promise.all([
      readUnit(host, CHRONY.unit, [CHRONY.path]),
      readUnit(host, TIMESYNCD.unit, [TIMESYNCD.path]),
      host.stat("/run/systemd/container"),
      readManaged(host, CHRONY.path, { folder: "packaged" }),
      readManaged(host, TIMESYNCD.path),
    ]);
    const uses = chrony.load === "not-found" ? TIMESYNCD : CHRONY;
    return {
      daemon: uses.unit,
      uses,
      unit: uses === CHRONY ? chrony : timesyncd,
      file: uses === CHRONY ? chronyFile : timesyncdFile,
      container: container !== undefined,
    };
  },

  *diff({ uses, unit, file, container }, { servers }) {
    const { path } = uses;
    if (unit.load === "not-found" && !container)
      throw new PlaybookError("PB_TOOL_MISSING", [
        "time daemon",
        "neither chrony nor systemd-timesyncd is installed",
      ]);
    const changes = [...keepFile(file, { path, content: uses.render(servers) })];
    yield* changes;
    if (container) return;
    // The file's time is that of the change to come: the restart belongs to it.
    const changed = changes.length > 0 ? { path, at: Number.POSITIVE_INFINITY } : unit.changed;
    const want = { unit: uses.unit, running: true, enabled: true, masked: false, settleMs: 400 };
    yield* keepUnit({ ...unit, changed }, { ...want, timeout: "60s" });
  },

  *undo(before, now) {
    const { daemon: unit, uses } = before;
    if (now.daemon !== unit)
      throw new PlaybookError("PB_UNDO_LOST", [unit, `the clock follows ${now.daemon} by now`]);
    const { path } = uses;
    const changes = [...undoFiles({ path, before: before.file, now: now.file })];
    yield* changes;
    if (now.container) return;
    const changed = changes.length > 0 ? { path, at: Number.POSITIVE_INFINITY } : now.unit.changed;
    const want = { unit, running: true, masked: false, settleMs: 400, timeout: "60s" } as const;
    yield* undoUnit(before.unit, { ...now.unit, changed }, want);
  },
});

/** For gates: certificates and etcd need clocks that agree. */
export const timeSynchronised = defineProbe({
  name: "time-synchronised",
  summary: "The clock is synchronised, as chrony or systemd-timesyncd says.",
  example: `use.timeSynchronised({})`,
  params: z.strictObject({}),
  async check(host: Host) {
    const [container, timesyncd, tracking] = await Promise.all([
      host.stat("/run/systemd/container"),
      host.stat("/run/systemd/timesync/synchronized"),
      host.run({ argv: ["chronyc", "-c", "tracking"] }),
    ]);
    if (container !== undefined) return { holds: true, saw: "a container has the machine's clock" };
    if (timesyncd !== undefined) return { holds: true, saw: "systemd-timesyncd is synchronised" };
    if (tracking.code !== 0) return { holds: false, saw: "not synchronised" };
    const [, source = "", , , offset = "", ...rest] = tracking.stdout.trim().split(",");
    const holds = rest.at(-1) !== "Not synchronised";
    const saw = holds ? `chrony follows ${source}, off by ${offset} s` : "chrony has no source yet";
    return { holds, saw };
  },
});
