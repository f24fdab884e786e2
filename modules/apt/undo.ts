/** The way back of packages: what was brought goes with what came along, what was taken away comes again. */
import {
  type Change,
  type Duration,
  PlaybookError,
  run,
  script,
  toMs,
  withStdin,
} from "#engine/index.ts";
import { type Installed, isThere, nameOf, statusOf } from "./installed.ts";
import { INSTALL, TAKE_AWAY } from "./scripts.ts";

interface Found {
  readonly installed: readonly Installed[];
  /** Every package that was there, where something was to be installed. */
  readonly all: string;
}

interface Want {
  readonly present: readonly string[];
  readonly absent: readonly string[];
  readonly purge: boolean;
  readonly lockTimeout: Duration;
  readonly timeout: Duration;
}

/** @throws PB_UNDO_LOST for what is purged */
export function* undoPackages(before: Found, now: Found, want: Want): Generator<Change> {
  const statusBefore = (name: string) => statusOf(before.installed, name);
  const lost = want.absent.find((name) => statusBefore(name) !== "not-installed");
  if (want.purge && lost !== undefined)
    throw new PlaybookError("PB_UNDO_LOST", [`Package ${lost}`, "purging takes what it keeps"]);
  const brought = want.present
    .map(nameOf)
    .filter((name) => statusOf(now.installed, name) === "installed");
  const takeAway = takingAway(before, want);
  yield* takeAway(
    "purge",
    brought.filter((name) => statusBefore(name) === "not-installed"),
  );
  yield* takeAway(
    "remove",
    brought.filter((name) => statusBefore(name) === "config-files"),
  );
  yield* installAgain(before, now, want);
}

const lockOf = ({ lockTimeout }: Want) => Math.ceil(toMs(lockTimeout) / 1000);

const takingAway = ({ all }: Found, want: Want) =>
  function* (verb: "purge" | "remove", names: readonly string[]): Generator<Change> {
    if (names.length === 0) return;
    const command = withStdin(script(TAKE_AWAY, lockOf(want), verb, ...names), all);
    const say = `${verb} ${names.join(", ")} and what came with it`;
    yield run(command, say, { timeout: want.timeout });
  };

// In the version that was there, of those that the wish removed or changed.
function* installAgain(before: Found, now: Found, want: Want): Generator<Change> {
  const changed = want.present.filter((text) => !isThere(before.installed, text)).map(nameOf);
  const touched = [...changed, ...want.absent];
  const packages = before.installed
    .filter(({ name, status }) => status === "installed" && touched.includes(name))
    .map(({ name, version }) => `${name}=${version}`)
    .filter((text) => !isThere(now.installed, text));
  if (packages.length === 0) return;
  const command = script(INSTALL, lockOf(want), "cached", ...packages);
  yield run(command, `install ${packages.join(", ")} again`, { timeout: want.timeout });
}
