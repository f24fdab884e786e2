import type { GuardedChange, WriteChange } from "../dsl/change.ts";
import { toMs } from "../dsl/duration.ts";
import { isPlaybookError, PlaybookError } from "../errors/error.ts";
import { script } from "../host/command.ts";
import type { Connection } from "../host/connection.ts";
import { GUARD_BASE } from "../host/introduction.ts";
import { lastLines } from "./command-failure.ts";
import { bytesOf } from "./content.ts";
import { guardScript, settleScript, startScript } from "./guard-script.ts";
import { awaitRollback, GuardWatch } from "./guard-watch.ts";
import { withEnv } from "./host.ts";
import type { Applying } from "./reached.ts";

/** How long a call to the host may take while its network is changing, in ms. */
const CALL_MS = 5000;

/**
 * Makes a change that can cut its own connection: everything is staged on the host, where a detached script saves the
 * old files, puts the new ones in place, applies them, and undoes all of it unless the engine comes back in time over a
 * new connection, finds every `verify` true and confirms. From the start on, the host needs nobody to come out right.
 */
export async function applyGuarded(change: GuardedChange, applying: Applying): Promise<void> {
  const { on, manner, clock } = applying;
  const folder = `${GUARD_BASE}/guard-${clock.now().toString(36)}`;
  await stage(change, folder, applying);
  const deadline = clock.steady() + toMs(change.within);
  const { within } = change;
  const home = on.address;
  const address = change.address ?? home;
  const guarding = { folder, change, address, home, applying, deadline, callMs: CALL_MS };
  const watch = new GuardWatch(guarding);
  applying.doubt(
    `${on.name} puts everything back by itself unless the change is confirmed within ${within}`,
  );
  try {
    await start(change, folder, applying);
    await see(watch, manner.signal);
  } finally {
    if (!manner.signal.aborted) applying.doubt(undefined);
  }
}

async function see(watch: GuardWatch, signal: AbortSignal): Promise<void> {
  try {
    await watch.applied();
    await watch.reconnected();
    await watch.verified();
    await watch.confirmed();
  } catch (error) {
    if (signal.aborted) throw error;
    await awaitRollback(watch, error);
  }
}

/** Puts everything that the guard needs on the host; nothing that matters has changed then. */
async function stage(change: GuardedChange, folder: string, applying: Applying): Promise<void> {
  const { connection } = applying.on;
  const entries = change.files.map((file, index) => ({ file, at: `${folder}/entry-${index}` }));
  const make = script(
    'umask 077; mkdir -p -m 755 "$1" && shift && mkdir -- "$@"',
    GUARD_BASE,
    folder,
    ...entries.map(({ at }) => at),
  );
  const made = await connection.run(make, asRoot(applying));
  if (made.code !== 0)
    throw notBegun(applying, lastLines(made.stderr).at(-1) ?? "no folder for it");
  await Promise.all([
    put(`${folder}/guard`, guardScript, applying),
    put(`${folder}/stdin`, change.apply.stdin ?? "", applying),
    ...entries.flatMap(({ file, at }) => [
      put(`${at}/path`, file.path, applying),
      ...(file.op === "write"
        ? [
            connection.writeFile(`${at}/new`, bytesOf(file.content), {
              ...file.attributes,
              ...asRoot(applying),
            }),
          ]
        : []),
    ]),
  ]);
}

const put = (path: string, content: WriteChange["content"], applying: Applying) =>
  applying.on.connection.writeFile(path, bytesOf(content), { mode: 0o600, ...asRoot(applying) });

async function start(change: GuardedChange, folder: string, applying: Applying): Promise<void> {
  const { on, manner } = applying;
  const seconds = Math.max(1, Math.ceil(toMs(change.within) / 1000));
  const command = script(
    startScript,
    GUARD_BASE,
    folder,
    seconds,
    ...detachedArgv(change, applying),
  );
  const started = await on.connection.run(command, asRoot(applying)).catch((error: unknown) => {
    // The change may have cut the answer off: whether it began is then read from the host.
    if (isPlaybookError(error) && !manner.signal.aborted) return undefined;
    throw error;
  });
  if (started === undefined || started.code === 0) return;
  if (started.code === 7)
    throw new PlaybookError("PB_GUARD_BUSY", [on.name, "it holds the host's guard lock"]);
  throw notBegun(applying, lastLines(started.stderr).at(-1) ?? `sh exited ${started.code}`);
}

// env and cd as argv, so that no value is ever parsed by a shell.
function detachedArgv({ apply }: GuardedChange, { manner }: Applying): readonly string[] {
  const { argv, env = {}, cwd } = withEnv(apply, manner);
  const assigned = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const within = cwd === undefined ? [] : ["sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", cwd];
  return [...within, ...(assigned.length === 0 ? [] : ["env", ...assigned]), ...argv];
}

/** A guard of a run that is gone may still be waiting: what is read before it is over may not stay. */
export async function settleGuards(connection: Connection, host: string): Promise<void> {
  if ((await connection.stat(`${GUARD_BASE}/active-guard`)) === undefined) return;
  const seconds = 300;
  const settled = await connection.run(script(settleScript, GUARD_BASE, seconds), {
    as: "root",
    timeoutMs: (seconds + 10) * 1000,
    long: true,
  });
  if (settled.code !== 0)
    throw new PlaybookError("PB_GUARD_BUSY", [host, `waited ${seconds} s for it`]);
}

const asRoot = ({ manner }: Applying) => ({
  as: "root",
  timeoutMs: Math.min(CALL_MS * 2, Math.max(1, manner.left())),
  signal: manner.signal,
});

const notBegun = ({ on }: Applying, why: string) =>
  new PlaybookError("PB_GUARD_FAILED", [on.name, why], {
    state: `nothing was changed on ${on.name}`,
  });
