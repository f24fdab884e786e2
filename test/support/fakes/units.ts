import type { FakeHost } from "#engine/host/fake/host.ts";
import type { FakeAnswer } from "#engine/host/fake/programs.ts";

const FOLDER = "/etc/systemd/system";

/** A unit of a fake host. */
export interface FakeUnit {
  enabled: boolean;
  active: boolean;
  masked: boolean;
}

/** The units of a fake host: those that packages brought, and those with a file under /etc/systemd/system. */
export class FakeUnits {
  readonly units: Record<string, FakeUnit>;
  /** What systemd read of each unit's files when it last read any. */
  readonly #loaded = new Map<string, string>();
  readonly #host: FakeHost;
  readonly #packaged: ReadonlySet<string>;
  readonly #named: ReadonlySet<string>;
  /** Hears what starts and stops. */
  onActive: (unit: string, active: boolean) => void = () => undefined;

  constructor(host: FakeHost, units: Record<string, FakeUnit>, packaged: readonly string[] = []) {
    this.#host = host;
    this.units = units;
    this.#named = new Set(Object.keys(units));
    this.#packaged = new Set(packaged);
    this.#reload();
    host
      .programs({ systemctl: ({ args }) => this.systemctl(args) })
      .script(/^# unit-state\n/, ({ args: [unit = ""] }) => this.#state(unit))
      .script(/^# unit-disable\n/, ({ args: [unit = ""] }) => this.systemctl(["disable", unit]))
      .script(/^# unit-unmask\n/, ({ args: [unit = ""] }) => this.systemctl(["unmask", unit]))
      .script(/^# unit-start\n/, ({ args: [, unit = ""] }) => this.#start(unit, true));
  }

  /** How a unit stands: idle where nobody touched it yet. */
  of(unit: string): FakeUnit {
    return this.units[unit] ?? { enabled: false, active: false, masked: false };
  }

  // One that stands as if nobody had ever touched it is not told apart from that.
  #set(unit: string, is: Partial<FakeUnit>): void {
    const next = { ...this.of(unit), ...is };
    if (this.#named.has(unit) || Object.values(next).includes(true)) this.units[unit] = next;
    else delete this.units[unit];
  }

  #files(unit: string): string {
    const { files } = this.#host;
    const dropIns = files.list(`${FOLDER}/${unit}.d`).map((name) => `${unit}.d/${name}`);
    return [unit, ...dropIns].map((name) => files.text(`${FOLDER}/${name}`) ?? "").join("\0");
  }

  #exists(unit: string): boolean {
    return this.#packaged.has(unit) || this.#host.files.stat(`${FOLDER}/${unit}`)?.kind === "file";
  }

  #reload(): undefined {
    for (const unit of Object.keys(this.units)) this.#loaded.set(unit, this.#files(unit));
    return undefined;
  }

  #state(unit: string): string {
    const { enabled, active, masked } = this.of(unit);
    const there = this.#exists(unit);
    const file = there ? (enabled ? "enabled" : "disabled") : "";
    const stale = this.#files(unit) !== (this.#loaded.get(unit) ?? "");
    return [
      `LoadState=${masked ? "masked" : there ? "loaded" : "not-found"}`,
      `ActiveState=${active ? "active" : "inactive"}`,
      `SubState=${active ? "running" : "dead"}`,
      `UnitFileState=${masked ? "masked" : file}`,
      "Type=simple",
      "RemainAfterExit=no",
      `NeedDaemonReload=${stale ? "yes" : "no"}`,
      "",
    ].join("\n");
  }

  #start(name: string, active: boolean): FakeAnswer {
    const unit = this.of(name);
    if (active && (unit.masked || !this.#exists(name)))
      return { code: 5, stderr: `Failed to start ${name}: it is masked or not there.\n` };
    this.#set(name, { active });
    this.onActive(name, active);
    return undefined;
  }

  systemctl(args: readonly string[]): FakeAnswer {
    const [verb = ""] = args;
    const name = args.at(-1) ?? "";
    if (verb === "daemon-reload") return this.#reload();
    const now = args.includes("--now");
    switch (verb) {
      case "enable":
      case "disable":
        if (verb === "enable" && !this.#exists(name))
          return { code: 1, stderr: `Unit file ${name} does not exist.\n` };
        this.#set(name, { enabled: verb === "enable" });
        return now ? this.#start(name, verb === "enable") : undefined;
      case "mask":
      case "unmask":
        // Whether it is enabled beneath shows nowhere.
        this.#set(name, verb === "mask" ? { masked: true, enabled: false } : { masked: false });
        return now ? this.#start(name, false) : undefined;
      case "start":
      case "restart":
      case "stop":
        return this.#start(name, verb !== "stop");
      default:
        return { code: 1, stderr: `systemctl ${verb} is not known to the fake\n` };
    }
  }
}
