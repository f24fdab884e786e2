/** A service as an observable goal: enabled, running, and younger than what it was started from. */
import { type Change, type Host, run, script, sh } from "#engine/index.ts";
import { keepTimes } from "./unit-state.ts";

/** What systemd and the file system say of a service. */
export interface UnitProcess {
  readonly active: boolean;
  readonly enabled: boolean;
  /** Its main process started (or, where it reloads, read its files) before the newest of them was written. */
  readonly outdated: boolean;
  /** Files whose time has not come, as unit-state has them. */
  readonly ahead: readonly string[];
}

/** How a service takes up what its files say: by a new process, or by reading them again. */
export type TakesUp = "restart" | "reload";

const STATE = `# unit-process
unit=$1
shift
date +Now=%s
systemctl show "$unit" --timestamp=us+utc -p ActiveState -p UnitFileState \\
  -p ExecMainStartTimestamp -p StateChangeTimestamp || exit
# The change time: an unpacked program keeps the date of its release.
for file; do
  [ -e "$file" ] || continue
  stat -c 'File=%.6Z %n' -- "$file"
  [ ! -L "$file" ] || stat -L -c 'File=%.6Z %n' -- "$file"
done
true`;

/** One round trip. What is in `files` is the configuration and the programs that a start reads. */
export async function readUnitProcess(
  host: Host,
  unit: string,
  { files, by = "restart" }: { files: readonly string[]; by?: TakesUp },
): Promise<UnitProcess> {
  const printed = await host.text(script(STATE, unit, ...files));
  const values = Array.from(printed.matchAll(/^(\w+)=(.*)$/gm), ([, key = "", value = ""]) => ({
    key,
    value,
  }));
  const one = (name: string) => values.find(({ key }) => key === name)?.value ?? "";
  const written = values
    .filter(({ key }) => key === "File")
    .map(({ value }) => ({
      at: Number(value.split(" ", 1)[0]),
      path: value.replace(/^\S+ ?/, ""),
    }));
  const nextSecond = Number(one("Now") || Number.POSITIVE_INFINITY) + 1;
  const started = seconds(
    one(by === "restart" ? "ExecMainStartTimestamp" : "StateChangeTimestamp"),
  );
  return {
    active: one("ActiveState") === "active",
    enabled: one("UnitFileState") === "enabled",
    // One that began while the clock was ahead cannot be told from one that is older.
    outdated:
      started !== undefined && (started > nextSecond || written.some(({ at }) => at > started)),
    ahead: written.filter(({ at }) => at > nextSecond).map(({ path }) => path),
  };
}

// "Tue 2026-11-24 17:30:00.123456 UTC"
function seconds(timestamp: string): number | undefined {
  const [, day, time, fraction = ""] =
    /(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(\.\d+)? UTC/.exec(timestamp) ?? [];
  if (day === undefined) return undefined;
  return Date.parse(`${day}T${time}Z`) / 1000 + Number(`0${fraction}`);
}

/** Enables and starts the service, or starts it anew where `changed` or the state asks for it. */
export function* keepUnitProcess(
  unit: string,
  now: UnitProcess,
  changed: { unit: boolean; files: boolean; by?: TakesUp },
): Generator<Change> {
  const { by = "restart" } = changed;
  const name = unit.replace(/\.service$/, "");
  if (changed.unit) yield run(sh`systemctl daemon-reload`, `${name}'s unit: reload`);
  if (!now.enabled) yield run(sh`systemctl enable ${unit}`, `${name}: not enabled → enabled`);
  const older = now.outdated || changed.files || changed.unit;
  if (now.active && !older) return;
  yield* keepTimes(now.ahead);
  if (!now.active) yield run(sh`systemctl restart ${unit}`, `${name}: stopped → running`);
  else yield run(sh`systemctl ${by} ${unit}`, `${name}: older than its files → ${by}ed`);
}

/** Stops the service, and keeps it from starting again. */
export function* dropUnitProcess(unit: string, now: UnitProcess): Generator<Change> {
  const name = unit.replace(/\.service$/, "");
  if (now.active) yield run(sh`systemctl stop ${unit}`, `${name}: running → stopped`);
  if (now.enabled) yield run(sh`systemctl disable ${unit}`, `${name}: enabled → disabled`);
}

/** Back to how the service was: down before its files go back, up once they did. */
export function* undoUnitProcess(
  unit: string,
  { before, now }: Readonly<Record<"before" | "now", UnitProcess>>,
  back: { unit?: readonly Change[]; files: readonly Change[]; by?: TakesUp },
): Generator<Change> {
  const { unit: units = [], files, by = "restart" } = back;
  const [active, enabled] = [now.active && !before.active, now.enabled && !before.enabled];
  yield* dropUnitProcess(unit, { ...now, active, enabled });
  yield* files;
  yield* units;
  const changed = { unit: units.length > 0, files: files.length > 0, by };
  if (before.active)
    yield* keepUnitProcess(unit, { ...now, enabled: now.enabled || !before.enabled }, changed);
  else if (changed.unit) yield run(sh`systemctl daemon-reload`, `${unit}: reload`);
}
