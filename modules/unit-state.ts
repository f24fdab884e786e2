/** What systemd says of one unit, and what brings it to running, stopped, enabled or masked. */
import {
  type Change,
  type Duration,
  type Host,
  inlineScript,
  PlaybookError,
  type Question,
  run,
  script,
  sh,
} from "#engine/index.ts";

export interface UnitNow {
  /** loaded, not-found, masked, bad-setting, error. */
  readonly load: string;
  /** active, inactive, failed, activating, … */
  readonly active: string;
  /** running, exited, dead, auto-restart, … */
  readonly sub: string;
  /** enabled, disabled, static, masked, …; with -runtime until the next boot; empty where there is no unit file. */
  readonly file: string;
  /** A unit that runs and ends, and counts as done once it ended well. */
  readonly oneshot: boolean;
  /** systemd reads an older version of its files. */
  readonly stale: boolean;
  /** When its main process began, ms since the epoch; undefined where none did since boot. */
  readonly startedAt: number | undefined;
  /** It began while the clock was ahead: what changed since cannot be told by times. */
  readonly startedAhead: boolean;
  /** The newest change of the files asked for. */
  readonly changed: { readonly path: string; readonly at: number } | undefined;
  /** Those whose time has not come: written while the clock was ahead, they would be younger than any process. */
  readonly ahead: readonly string[];
}

export interface UnitWant {
  readonly unit: string;
  readonly running: boolean;
  readonly enabled: boolean;
  readonly masked: boolean;
  /** How long it must stay up after a start. */
  readonly settleMs: number;
  readonly timeout: Duration;
}

/** Looks at a unit, and at when files that it depends on changed, in one round trip. */
export async function readUnit(
  host: Host,
  unit: string,
  files: readonly string[] = [],
): Promise<UnitNow> {
  const printed =
    files.length === 0
      ? await host.ask(unitState, unit)
      : await host.text(inlineScript(STATE, unit, ...files));
  const fields = new Map(
    Array.from(printed.matchAll(/^(\w+)=(.*)$/gm), ([, name = "", value = ""]) => [name, value]),
  );
  const field = (name: string) => fields.get(name) ?? "";
  const changes = Array.from(printed.matchAll(/^(\d+\.\d+) (.*)$/gm), ([, at, path = ""]) => ({
    path,
    at: Number(at) * 1000,
  })).sort((a, b) => b.at - a.at);
  const startedAt = time(field("ExecMainStartTimestamp")) ?? time(field("ActiveEnterTimestamp"));
  const nextSecond = (Number(field("Now") || Number.POSITIVE_INFINITY) + 1) * 1000;
  return {
    load: field("LoadState"),
    active: field("ActiveState"),
    sub: field("SubState"),
    file: field("UnitFileState"),
    oneshot: field("Type") === "oneshot" && field("RemainAfterExit") === "no",
    stale: field("NeedDaemonReload") === "yes",
    startedAt,
    startedAhead: startedAt !== undefined && startedAt > nextSecond,
    changed: changes[0],
    ahead: changes.filter(({ at }) => at > nextSecond).map(({ path }) => path),
  };
}

const PROPERTIES =
  "LoadState,ActiveState,SubState,UnitFileState,Type,RemainAfterExit,NeedDaemonReload,ExecMainStartTimestamp,ActiveEnterTimestamp";

const unitState: Question = {
  name: "unit-state",
  command: (units) => inlineScript(STATE, ...units),
  split: (stdout) => stdout.trimEnd().split("\n\n"),
};

// A file that was moved in keeps its date, as dpkg, tar and cp -p make it: its change time says when it came. Of a link, its
// own and that of what it leads to count. Microseconds: a file that is written and a restart that follows fall into the same second.
// Units, and paths of files; no unit's name has a blank in it, or begins with a slash. The clock is for the files.
const STATE = `# unit-state
set -f; units=; files=
for thing; do case $thing in /*) files=1 ;; *) units="$units $thing" ;; esac; done
[ -z "$files" ] || date +Now=%s
systemctl show --no-pager --timestamp=us+utc --property=${PROPERTIES} -- $units || exit
for thing; do case $thing in /*)
  stat -c '%.6Z %n' -- "$thing"
  [ ! -L "$thing" ] || stat -L -c '%.6Z %n' -- "$thing"
esac; done 2>/dev/null
true`;

const DISABLE = `# unit-disable
systemctl disable -- "$1" && systemctl disable --runtime -- "$1"`;

const UNMASK = `# unit-unmask
systemctl unmask -- "$1" && systemctl unmask --runtime -- "$1"`;

const START = `# unit-start
complain() {
  systemctl show --property=ActiveState,SubState,Result,ExecMainStatus -- "$2" | tr '\\n' ' ' >&2
  echo >&2
  # What it said last may still be on its way.
  journalctl --sync
  journalctl --no-pager --output=cat --lines=15 --unit="$2" >&2
  exit 1
}
systemctl "$1" -- "$2" || complain "$@"
# It came up; what dies at once (a bad flag, a taken port) shows only now.
ticks=$3
while :; do
  systemctl show --property=ActiveState,SubState -- "$2" | grep -qE '=(failed|auto-restart)$' && complain "$@"
  [ "$ticks" -gt 0 ] || break
  ticks=$((ticks - 1))
  sleep 0.2
done`;

// "Tue 2026-11-24 17:43:00.123456 UTC", or empty or n/a where it never was.
function time(text: string): number | undefined {
  const [, day, clock] = /(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?) UTC$/.exec(text) ?? [];
  return day === undefined ? undefined : Date.parse(`${day}T${clock}Z`);
}

/** The restart that a newer file asks for, in words; undefined where the process is younger. */
function reasonToRestart({ startedAt, startedAhead, changed }: UnitNow): string | undefined {
  if (changed !== undefined && startedAhead)
    return `it was started while the clock was ahead, so whether ${changed.path} changed since is not known`;
  if (changed === undefined || startedAt === undefined || startedAt >= changed.at) return undefined;
  return `${changed.path} changed after it was started`;
}

const isUp = (now: UnitNow) => {
  if (now.oneshot) return now.startedAt !== undefined && now.active !== "failed";
  return now.active === "active" || now.active === "reloading";
};

/**
 * What makes the unit as wanted, beyond the next boot too.
 * @throws PB_UNIT_MISSING where it should run or be enabled and there is none, PB_UNIT_STATIC where it cannot be enabled
 */
export function* keepUnit(now: UnitNow, want: UnitWant): Generator<Change> {
  const { unit } = want;
  if (want.masked) {
    if (now.file !== "masked" || now.load !== "masked")
      yield run(sh`systemctl mask --now -- ${unit}`, `${unit}: masked`);
    else yield* keepRunning(now, { ...want, running: false });
    return;
  }
  const needed = want.running || want.enabled;
  if (now.load === "not-found" && needed) throw new PlaybookError("PB_UNIT_MISSING", [unit]);
  if (now.load === "not-found") return;
  const masked = now.load === "masked";
  if (masked && needed) yield unmask(unit);
  yield* keepEnabled(now, want, masked);
  yield* keepRunning(now, want);
}

const unmask = (unit: string) => run(script(UNMASK, unit), `${unit}: masked → unmasked`);

/** Not enabled, or only until the next boot. */
const OFF: ReadonlySet<string> = new Set([
  "disabled",
  "linked",
  "linked-runtime",
  "enabled-runtime",
  "transient",
  "",
]);

function* keepEnabled(now: UnitNow, want: UnitWant, masked: boolean): Generator<Change> {
  const { unit } = want;
  if (want.enabled && now.file === "static") throw new PlaybookError("PB_UNIT_STATIC", [unit]);
  const off = OFF.has(now.file) || masked;
  if (want.enabled && off && now.file !== "")
    yield run(sh`systemctl enable -- ${unit}`, `${unit}: ${now.file} → enabled`);
  if (!want.enabled && (now.file === "enabled" || now.file === "enabled-runtime"))
    yield run(script(DISABLE, unit), `${unit}: ${now.file} → disabled`);
}

/** A start counts as one with the files as they are only if their time has come. */
export function* keepTimes(ahead: readonly string[]): Generator<Change> {
  if (ahead.length > 0)
    yield run(sh`touch -c -- ${ahead}`, `time of ${ahead.join(", ")}: in the future → now`);
}

function* keepRunning(now: UnitNow, want: UnitWant): Generator<Change> {
  const { unit } = want;
  const is = `${now.active} (${now.sub})`;
  const up = isUp(now);
  if (!want.running) {
    if (up || now.active === "activating")
      yield run(sh`systemctl stop -- ${unit}`, `${unit}: ${is} → stopped`, {
        timeout: want.timeout,
      });
    return;
  }
  yield* renewUnit(now, want);
  if (up) return;
  yield* keepTimes(now.ahead);
  // A unit between two crashes is not helped by start: it counts as started.
  const verb = now.sub === "auto-restart" ? "restart" : "start";
  yield start(verb, want, `${unit}: ${is} → running`);
}

type Starting = Pick<UnitWant, "unit" | "settleMs" | "timeout">;

const start = (verb: "start" | "restart", { unit, settleMs, timeout }: Starting, say: string) =>
  run(script(START, verb, unit, Math.ceil(settleMs / 200)), say, { timeout });

/** Restarts a unit that runs, and is older than files that it was started from. */
export function* renewUnit(now: UnitNow, want: Starting): Generator<Change> {
  const reason = isUp(now) ? reasonToRestart(now) : undefined;
  if (reason === undefined) return;
  yield* keepTimes(now.ahead);
  yield start("restart", want, `restart ${want.unit}: ${reason}`);
}

/** Back to how a unit was; it still is to be younger than its files. @throws PB_UNDO_LOST where it ran and ended */
export function* undoUnit(
  before: UnitNow,
  now: UnitNow,
  want: Omit<UnitWant, "enabled">,
): Generator<Change> {
  const up = isUp(before) || before.active === "activating";
  if (before.oneshot && want.running && !want.masked && !up)
    throw new PlaybookError("PB_UNDO_LOST", [
      want.unit,
      "what a unit that runs and ends did stays",
    ]);
  const enabled = before.file.startsWith("enabled");
  const masked = before.load === "masked";
  // Where it is needed, keepUnit does so too.
  if (now.load === "masked" && !masked && !up && !enabled) yield unmask(want.unit);
  yield* keepUnit(now, { ...want, running: up, enabled, masked });
}
