import type { FakeHost } from "#engine/host/fake/host.ts";
import type { FakeUnits } from "./units.ts";

const PROC = "/proc/swaps";
const HEAD = "Filename Type Size Used Priority\n";
const ZRAM = { maker: "zramswap.service", device: "/dev/zram0" };

/** Lets a fake host use swap: devices in /proc/swaps, a unit for each, and a maker that brings one of its own. */
export function withSwap(host: FakeHost, units: FakeUnits, devices: readonly string[]): FakeHost {
  const { files } = host;
  const live = () =>
    (files.text(PROC) ?? "")
      .split("\n")
      .slice(1)
      .flatMap((line) => line.split(" ")[0] || []);
  const use = (now: readonly string[]) =>
    files.put(
      PROC,
      HEAD +
        now
          .toSorted()
          .map((device) => `${device} partition 1 0 -2\n`)
          .join(""),
    );
  const unitOf = (device: string) => `${device.slice(1).replaceAll("/", "-")}.swap`;
  use(devices);
  units.onActive = (unit, active) => {
    const without = live().filter((device) => device !== ZRAM.device && unitOf(device) !== unit);
    if (unit === ZRAM.maker) use(active ? [...without, ZRAM.device] : without);
    else if (!active) use(live().filter((device) => unitOf(device) !== unit));
  };
  const known = devices.map(unitOf);
  return host
    .script(/^# swap-on\n/, ({ args }) => {
      use([...new Set([...live(), ...args])]);
      return undefined;
    })
    .programs({
      swapoff: () => {
        use([]);
        return undefined;
      },
      systemctl: (call) => {
        const [verb = ""] = call.args;
        if (verb === "list-units")
          return known
            .filter((unit) => !units.of(unit).masked)
            .map((unit) => `${unit} loaded active active\n`)
            .join("");
        if (verb === "list-unit-files")
          return units.of(ZRAM.maker).enabled ? `${ZRAM.maker} enabled enabled\n` : { code: 1 };
        return units.systemctl(call.args);
      },
    });
}
