/** A count of every IPv4 packet that is not loopback's, as evidence that nothing uses it. */
import { z } from "zod";
import { type Change, defineModule, run, sh } from "#engine/index.ts";
import { type FileNow, keepAway, keepFile, readManaged } from "../managed-file.ts";
import { State } from "../params.ts";
import { undoFiles } from "../undo-file.ts";
import {
  dropUnitProcess,
  keepUnitProcess,
  readUnitProcess,
  type UnitProcess,
  undoUnitProcess,
} from "../unit-process.ts";
import { readPackets, table } from "./read-packets.ts";
import { rules, unitFile } from "./rules.ts";

const unit = "run-playbook-ipv4-watch.service";
const unitPath = `/etc/systemd/system/${unit}`;
const rulesPath = "/etc/run-playbook-ipv4-watch.nft";

interface WatchNow {
  /** Counted since the host booted or the count began; -1 where nothing counts. */
  readonly packets: number;
  readonly rules: FileNow;
  readonly unit: FileNow;
  readonly process: UnitProcess;
}

export const ipv4Watch = defineModule({
  name: "ipv4-watch",
  summary:
    "Count the IPv4 packets of a host, but for loopback's, from each boot on; drops nothing.",
  example: "use.ipv4Watch({})",
  params: z.strictObject({ state: State }),
  outputs: z.object({
    packets: z
      .number()
      .describe("Since the last boot, or since the count began; -1 where none is."),
  }),

  async read(host): Promise<WatchNow> {
    const [packets = -1, rulesNow, unitNow, process] = await Promise.all([
      readPackets(host),
      readManaged(host, rulesPath),
      readManaged(host, unitPath),
      readUnitProcess(host, unit, { files: [rulesPath, unitPath] }),
    ]);
    return { packets, rules: rulesNow, unit: unitNow, process };
  },

  *diff(now, want) {
    if (want.state === "absent") yield* drop(now);
    else yield* keep(now);
  },

  *undo(before, now) {
    const units = [...undoFiles({ path: unitPath, before: before.unit, now: now.unit })];
    const files = [...undoFiles({ path: rulesPath, before: before.rules, now: now.rules })];
    const process = { before: before.process, now: now.process };
    yield* undoUnitProcess(unit, process, { unit: units, files });
  },
});

function* keep(now: WatchNow): Generator<Change> {
  const files = [...keepFile(now.rules, { path: rulesPath, content: rules })];
  const units = [...keepFile(now.unit, { path: unitPath, content: unitFile(rulesPath) })];
  yield* files;
  yield* units;
  // Somebody flushed the rules below a unit that counts as active: only a restart loads them again.
  const flushed = now.packets < 0 && now.process.active;
  const changed = { unit: units.length > 0, files: files.length > 0 || flushed };
  yield* keepUnitProcess(unit, now.process, changed);
}

function* drop(now: WatchNow): Generator<Change> {
  // Stopping the unit deletes the table; where it does not run, a table may be left over.
  yield* dropUnitProcess(unit, now.process);
  if (now.packets >= 0 && !now.process.active)
    yield run(sh`nft delete table ip ${table}`, "IPv4 packets: counted → not counted");
  yield* keepAway(now.unit, unitPath);
  yield* keepAway(now.rules, rulesPath);
  if (now.unit.stat !== undefined)
    yield run(sh`systemctl daemon-reload`, `${unit}: forgotten by systemd`);
}
