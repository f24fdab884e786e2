import type { Counts, Outcome, RunEvent, ShownError } from "#engine/report/event.ts";

type Steps = Extract<RunEvent, { type: "run-started" }>["steps"];

const START = Date.UTC(2026, 0, 1);

/** Writes down a run as the engine would tell it; time passes only when it is told to. */
export class Script {
  readonly events: RunEvent[] = [];
  at = START;
  readonly #began = new Map<string, number>();
  readonly #counts = new Map<string, { -readonly [K in keyof Counts]: number }>();

  start(playbook: string, steps: Steps, mode: "apply" | "check" = "apply"): this {
    for (const host of new Set(steps.flatMap(({ hosts }) => hosts))) this.#counts.set(host, none());
    return this.#push({
      type: "run-started",
      at: this.at,
      id: "2026-11-26-220159-k3f9",
      playbook,
      mode,
      steps,
      leftOut: [],
    });
  }

  pass(ms: number): this {
    this.at += ms;
    return this;
  }

  begin(step: string, ...hosts: readonly string[]): this {
    for (const host of hosts) {
      this.#began.set(`${step} ${host}`, this.at);
      this.#push({ type: "node-started", at: this.at, step, host });
    }
    return this;
  }

  waits(step: string, host: string, saw: string): this {
    return this.#push({ type: "node-waiting", at: this.at, step, host, saw });
  }

  change(
    step: string,
    host: string,
    change: Extract<RunEvent, { type: "change" }>["change"],
  ): this {
    return this.#push({ type: "change", at: this.at, step, host, change });
  }

  finish(
    step: string,
    hosts: readonly string[],
    outcome: Outcome,
    more: { changes?: number; why?: string; error?: ShownError } = {},
  ): this {
    for (const host of hosts) {
      const ms = this.at - (this.#began.get(`${step} ${host}`) ?? this.at);
      const counts = this.#counts.get(host);
      if (counts !== undefined) counts[key(outcome)] += 1;
      const { error, ...rest } = more;
      const own = error === undefined ? {} : { error: { ...error, step, host } };
      this.#push({
        type: "node-finished",
        at: this.at,
        step,
        host,
        outcome,
        changes: 0,
        ms,
        ...rest,
        ...own,
      });
    }
    return this;
  }

  recap(exitCode: number): this {
    const hosts = Object.fromEntries(this.#counts);
    const sum = none();
    for (const counts of this.#counts.values())
      for (const name of Object.keys(sum) as (keyof Counts)[]) sum[name] += counts[name];
    return this.#push({
      type: "recap",
      at: this.at,
      exitCode,
      durationMs: this.at - START,
      hosts,
      ...sum,
    });
  }

  #push(event: RunEvent): this {
    this.events.push(event);
    return this;
  }
}

const none = () => ({
  ok: 0,
  changed: 0,
  failed: 0,
  skipped: 0,
  unreachable: 0,
  wouldChange: 0,
  unknown: 0,
});

const key = (outcome: Outcome): keyof Counts => {
  if (outcome === "would-change") return "wouldChange";
  return outcome === "cannot-tell" ? "unknown" : outcome;
};

const failure: ShownError = {
  code: "PB_PARAMS_INVALID",
  message: "sysctl -w net.ipv6.conf.all.forwarding=1 exited 255: No such file or directory",
  hint: "load the module that brings the key first",
  at: "playbooks/bootstrap.ts:10",
  state: "2 of 3 changes were applied; running again is safe",
  causes: [],
};

const names = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`);

/** Three hosts, phases, a gate that waits; ends converged. */
export function threeHosts(): { script: Script; middle: number } {
  const all = ["cp1", "cp2", "w1"];
  const script = new Script().start("bootstrap", [
    { label: "hostname", phase: ["hosts"], kind: "action", hosts: all },
    { label: "kernel", phase: ["hosts"], kind: "action", hosts: all },
    { label: "control plane", phase: ["kubernetes"], kind: "action", hosts: ["cp1"] },
    { label: "API answers", phase: ["kubernetes"], kind: "gate", hosts: ["cp1"] },
    { label: "members", phase: ["kubernetes"], kind: "action", hosts: ["cp2", "w1"] },
    { label: "first snapshot", phase: [], kind: "action", hosts: ["cp1"] },
  ]);
  script
    .pass(400)
    .begin("hostname", ...all)
    .pass(300)
    .finish("hostname", all, "ok");
  script.begin("kernel", ...all).pass(200);
  script.change("kernel", "w1", {
    say: "write /etc/sysctl.d/90-cluster.conf",
    diff: { path: "/etc/sysctl.d/90-cluster.conf", before: "a = 0\n", after: "a = 1\nb = 2\n" },
  });
  script
    .pass(500)
    .finish("kernel", ["cp1", "cp2"], "ok")
    .finish("kernel", ["w1"], "changed", { changes: 1 });
  script
    .begin("control plane", "cp1")
    .pass(21_000)
    .finish("control plane", ["cp1"], "changed", { changes: 4 });
  script
    .begin("API answers", "cp1")
    .pass(3000)
    .waits("API answers", "cp1", "[::1]:6443 refuses connections");
  const middle = script.events.length;
  script.pass(9000).finish("API answers", ["cp1"], "ok");
  script
    .begin("members", "cp2", "w1")
    .pass(31_000)
    .finish("members", ["cp2", "w1"], "changed", { changes: 3 });
  script
    .begin("first snapshot", "cp1")
    .pass(1200)
    .finish("first snapshot", ["cp1"], "changed", { changes: 1 });
  return { script: script.recap(0), middle };
}

/** Two hundred workers: some change, one fails, one is not there; what depended on them is skipped. */
export function twoHundredHosts(): { script: Script; middle: number } {
  const workers = names("w", 200);
  const without = (...hosts: string[]) => workers.filter((worker) => !hosts.includes(worker));
  const script = new Script().start("upgrade", [
    ...names("base ", 24).map((label) => ({
      label,
      phase: ["hosts"],
      kind: "action" as const,
      hosts: workers,
    })),
    { label: "kernel", phase: ["kernel"], kind: "action", hosts: workers },
    { label: "kubelet", phase: ["kernel"], kind: "action", hosts: workers },
    { label: "nodes ready", phase: ["proof"], kind: "gate", hosts: workers },
  ]);
  for (const label of names("base ", 24)) {
    script.begin(label, ...workers).pass(900);
    script.finish(label, without("w150"), "ok");
    script.finish(label, ["w150"], "unreachable", {
      error: { ...failure, code: "PB_USAGE", message: "no route to host" },
    });
  }
  script.begin("kernel", ...without("w150").slice(0, 190)).pass(4000);
  for (const host of ["w3", "w40", "w77"])
    script.change("kernel", host, { say: "net.ipv6.conf.all.forwarding: 0 → 1" });
  script.finish("kernel", ["w3", "w40", "w77"], "changed", { changes: 1 });
  script.finish("kernel", without("w3", "w40", "w77", "w17", "w150").slice(0, 100), "ok");
  script.finish("kernel", ["w17"], "failed", { error: failure });
  script.finish("kernel", ["w150"], "skipped", { why: "base 1 failed on w150" });
  const middle = script.events.length;
  const rest = without("w3", "w40", "w77", "w17", "w150").slice(100);
  script
    .begin("kernel", ...rest.slice(-9))
    .pass(3000)
    .finish("kernel", rest, "ok");
  script.begin("kubelet", ...without("w17", "w150")).pass(8000);
  script.finish("kubelet", ["w17"], "skipped", { why: "kernel failed on w17" });
  script.finish("kubelet", ["w150"], "skipped", { why: "base 1 failed on w150" });
  script.finish("kubelet", without("w17", "w150"), "ok");
  script.finish("nodes ready", workers, "skipped", { why: "kernel failed on w17" });
  return { script: script.recap(1), middle };
}
