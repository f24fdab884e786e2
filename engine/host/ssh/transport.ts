import { isPlaybookError, PlaybookError } from "../../errors/error.ts";
import type { Connection, Target, Transport } from "../connection.ts";
import { deadlineIn } from "../deadline.ts";
import { shellMark } from "../introduction.ts";
import { ShellConnection } from "../shell/connection.ts";
import type { LaneLimits } from "../shell/lanes.ts";
import { LocalFiles } from "../shell/local-files.ts";
import { Channels } from "./channels.ts";
import type { ClientOptions } from "./client.ts";
import { type LocalSettings, Routes } from "./route.ts";
import { type Arrival, Ways } from "./ways.ts";

const CONNECT_TIMEOUT = 15_000;

export interface SshOptions extends LocalSettings {
  readonly keepalive?: NonNullable<ClientOptions["keepalive"]>;
  readonly limits?: Partial<LaneLimits>;
}

/** SSH by node-ssh, with ssh's own rules for host keys, identities, ssh_config and jump hosts. */
export function sshTransport(options: SshOptions = {}): Transport {
  const ways = new Ways();
  const files = new LocalFiles();
  let routes: Promise<Routes> | undefined;
  return {
    async connect(target, { timeoutMs = CONNECT_TIMEOUT, signal } = {}) {
      try {
        routes ??= Routes.load(options);
        const route = (await routes).of(target);
        const { keepalive } = options;
        const until = deadlineIn(timeoutMs);
        const arriving = ways.arrive(route, { until, ...(keepalive && { keepalive }) });
        const arrival = await unlessAborted(target.name, arriving, signal);
        return connection(target, { route, arrival, options, files });
      } catch (error) {
        throw isPlaybookError(error) ? error.with({ host: target.name }) : error;
      }
    },
  };
}

/** The arrival, or PB_INTERRUPTED; who arrives after that is sent away again. */
async function unlessAborted(
  name: string,
  arriving: Promise<Arrival>,
  signal: AbortSignal | undefined,
): Promise<Arrival> {
  if (!signal) return arriving;
  const aborted = Promise.withResolvers<never>();
  const abort = () => {
    aborted.reject(new PlaybookError("PB_INTERRUPTED", [`connecting to ${name}`]));
    arriving.then(
      ({ ssh, leave }) => ssh.end().then(leave),
      () => undefined,
    );
  };
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([aborted.promise, arriving]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

interface Parts {
  readonly route: ReturnType<Routes["of"]>;
  readonly arrival: Arrival;
  readonly options: SshOptions;
  readonly files: LocalFiles;
}

function connection(target: Target, { route, arrival, options, files }: Parts): Connection {
  const { ssh, leave } = arrival;
  const channels = new Channels(ssh, target.name);
  void ssh.lost.then(leave);
  return new ShellConnection({
    open: (line, open) => channels.open(line, open),
    identity: {
      host: target.name,
      loginUser: route.user,
      mark: shellMark(target, route.user),
      ...(target.sudoPassword && { sudoPassword: target.sudoPassword }),
    },
    lost: ssh.lost,
    end: async () => {
      await ssh.end();
      leave();
    },
    files,
    ...(options.limits && { limits: options.limits }),
  });
}
