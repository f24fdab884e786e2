import { setTimeout as wait } from "node:timers/promises";
import type { HostSet } from "#engine/dsl/host-set.ts";
import type { Inventory } from "#engine/dsl/inventory.ts";
import type { Action } from "#engine/dsl/module.ts";
import { type Play, playbook } from "#engine/dsl/playbook.ts";
import { localTransport } from "#engine/host/local.ts";
import { sshTransport } from "#engine/host/ssh/transport.ts";
import type { RunEvent, ShownError } from "#engine/report/event.ts";
import type { RunOptions } from "#engine/run/options.ts";
import type { Recap } from "#engine/run/recap.ts";
import { run } from "#engine/run/run.ts";
import type { LabView } from "#lab/view.ts";

type AnyPlay = Play<string, unknown, unknown, unknown>;

/** What came of a run on lab hosts. */
export interface LabPlayed {
  readonly recap: Recap;
  readonly events: readonly RunEvent[];
  /** What was changed, in words, in order. */
  readonly changes: readonly string[];
  /** Root causes only. */
  readonly errors: readonly ShownError[];
}

export interface LabStage
  extends Partial<Pick<RunOptions, "mode" | "witnesses" | "operator" | "emit">> {
  /** In place of the addresses that the lab gave. */
  readonly addresses?: Readonly<Record<string, string>>;
}

const clock = {
  now: () => Date.now(),
  steady: () => Math.round(performance.now()),
  wait: (ms: number, signal?: AbortSignal) =>
    wait(ms, undefined, signal === undefined ? {} : { signal }),
};

/** Runs a playbook on the hosts of a lab, over real ssh. Each host is also a group of its own. */
export async function playOnLab(
  view: LabView,
  declare: (play: AnyPlay & { on: (host: string) => HostSet<"one"> }) => void,
  stage: LabStage = {},
): Promise<LabPlayed> {
  const events: RunEvent[] = [];
  const declared = playbook("lab test", { groups: [] }, (play) => {
    declare({ ...(play as unknown as AnyPlay), on: (host) => play.host(host) });
  });
  const recap = await run(declared, inventoryOf(view, stage), {
    mode: stage.mode ?? "apply",
    witnesses: stage.witnesses ?? [],
    stop: new AbortController().signal,
    cut: new AbortController().signal,
    clock,
    ...(stage.operator && { operator: stage.operator }),
    emit: (event) => {
      events.push(event);
      stage.emit?.(event);
    },
    transports: { ssh: sshTransport({ configFiles: [] }), local: localTransport() },
  });
  return {
    recap,
    events,
    changes: events.flatMap((event) => (event.type === "change" ? [event.change.say] : [])),
    errors: events.flatMap((event) =>
      (event.type === "node-finished" || event.type === "host-unreachable") && event.error
        ? [event.error]
        : [],
    ),
  };
}

/** One module on one host. */
export const ensureOn = (view: LabView, host: string, action: Action, stage?: LabStage) =>
  playOnLab(
    view,
    ({ step, on }) => {
      step("it", { on: on(host), ensure: action });
    },
    stage,
  );

function inventoryOf(view: LabView, { addresses = {} }: LabStage): Inventory {
  const { identityFile, knownHostsFile } = view;
  return {
    kind: "inventory",
    hosts: Object.fromEntries(
      view.hosts.map(({ name, address }) => [
        name,
        { address: addresses[name] ?? address, user: "root", identityFile, knownHostsFile },
      ]),
    ),
    groups: {},
    settings: {},
  };
}
