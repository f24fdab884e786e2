import type { HostSet } from "#engine/dsl/host-set.ts";
import type { Inventory } from "#engine/dsl/inventory.ts";
import { type Play, type Playbook, playbook } from "#engine/dsl/playbook.ts";
import type { Target } from "#engine/host/connection.ts";
import { FakeHost } from "#engine/host/fake/host.ts";
import { fakeTransport } from "#engine/host/fake/transport.ts";
import type { Outcome, RunEvent } from "#engine/report/event.ts";
import type { RunOptions } from "#engine/run/options.ts";
import type { Recap } from "#engine/run/recap.ts";
import { run } from "#engine/run/run.ts";
import { VirtualClock } from "./virtual-clock.ts";

type AnyPlay = Play<string, unknown, unknown, unknown>;

/** A playbook's body; `nodes` are the hosts of the group of that name. */
export type Declare = (play: AnyPlay & { nodes: HostSet<"many"> }) => void;

/** What a playbook is played on, and how. Hosts are `h1` and `h2`, in the group `nodes`, unless given. */
export interface Stage extends Partial<Omit<RunOptions, "emit" | "transports">> {
  readonly hosts?: readonly string[] | Readonly<Record<string, FakeHost>>;
  readonly groups?: Readonly<Record<string, readonly string[]>>;
  readonly params?: Readonly<Record<string, unknown>>;
  /** Hears every event as it happens. */
  readonly hear?: (event: RunEvent) => void;
  /** Hears of each attempt to connect. */
  readonly dialled?: (target: Target) => void;
}

type Of<T extends RunEvent["type"]> = Extract<RunEvent, { type: T }>;

/** What came of a play. */
export interface Played {
  readonly recap: Recap;
  readonly events: readonly RunEvent[];
  readonly hosts: Readonly<Record<string, FakeHost>>;
  /** "step @ host" → how it ended, in the order of the ends. */
  readonly outcomes: Readonly<Record<string, Outcome>>;
  /** The events of a type, of one step where it is given. */
  of<T extends RunEvent["type"]>(type: T, step?: string): Of<T>[];
  /** How a node ended. */
  end(step: string, host?: string): Of<"node-finished">;
}

/** Runs a playbook on hosts in memory, on a clock that never makes anybody wait. */
export async function play(declare: Playbook | Declare, stage: Stage = {}): Promise<Played> {
  const hosts = hostsOf(stage);
  const { local = readied(new FakeHost()), ...remote } = hosts;
  const events: RunEvent[] = [];
  const { hosts: _, groups: __, hear, dialled, ...options } = stage;
  const ssh = fakeTransport(remote);
  const recap = await run(playbookOf(declare, stage), inventoryOf(Object.keys(remote), stage), {
    mode: "apply",
    stop: new AbortController().signal,
    cut: new AbortController().signal,
    id: "2026-11-26-220159-k3f9",
    clock: new VirtualClock(),
    ...options,
    emit: (event) => {
      events.push(event);
      hear?.(event);
    },
    transports: {
      ssh: {
        connect: (target, how) => {
          dialled?.(target);
          return ssh.connect(target, how);
        },
      },
      local: fakeTransport({ localhost: local }),
    },
  });
  return played(recap, events, hosts);
}

function played(
  recap: Recap,
  events: readonly RunEvent[],
  hosts: Readonly<Record<string, FakeHost>>,
): Played {
  const of: Played["of"] = <T extends RunEvent["type"]>(type: T, step?: string) =>
    events.filter(
      (event): event is Of<T> =>
        event.type === type && (step === undefined || ("step" in event && event.step === step)),
    );
  const ends = of("node-finished");
  return {
    recap,
    events,
    hosts,
    of,
    outcomes: Object.fromEntries(
      ends.map(({ step, host, outcome }) => [`${step} @ ${host}`, outcome]),
    ),
    end: (step, host) => {
      const found = ends.find((end) => end.step === step && (host ?? end.host) === end.host);
      if (found === undefined) throw new Error(`${step} @ ${host} did not end`);
      return found;
    },
  };
}

/** An inventory of fake hosts. */
export const inventoryOf = (
  names: readonly string[],
  { groups = { nodes: names } }: Pick<Stage, "groups"> = {},
): Inventory => ({
  kind: "inventory",
  hosts: Object.fromEntries(
    names.map((name, index) => [name, { address: `2001:db8::${index + 1}` }]),
  ),
  groups,
  settings: {},
});

const playbookOf = (declare: Playbook | Declare, { groups = { nodes: [] } }: Stage): Playbook =>
  typeof declare === "object"
    ? declare
    : playbook("test", { groups: Object.keys(groups) }, (given) => {
        const nodes = given.groups["nodes"] ?? given.all;
        declare({ ...(given as unknown as AnyPlay), nodes });
      });

function hostsOf({ hosts = ["h1", "h2"] }: Stage): Readonly<Record<string, FakeHost>> {
  if (!Array.isArray(hosts)) return mapValues(hosts as Record<string, FakeHost>, readied);
  return Object.fromEntries(hosts.map((name: string) => [name, readied(new FakeHost())]));
}

const mapValues = <T, U>(of: Readonly<Record<string, T>>, change: (value: T) => U) =>
  Object.fromEntries(Object.entries(of).map(([key, value]) => [key, change(value)]));

/** How a host introduces itself that has Debian 13. */
export const debian = `uname Linux h1 6.12.0 x86_64
boot 5f0c6a5e-0000-4000-8000-000000000001
memory 4194304
cpus 2
cgroup v2
ID=debian
VERSION_ID="13"
VERSION_CODENAME=trixie
`;

const readied = (host: FakeHost): FakeHost => host.script(/uname -snrm/, () => debian);

/** A fake host's file as text. */
export const fileOn = (host: FakeHost, path: string): string | undefined =>
  host.files.read(path, "root")?.toString("utf8");
