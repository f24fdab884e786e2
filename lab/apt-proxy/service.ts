import { join } from "node:path";
import type { AptSettings } from "../machine/apt-settings.ts";
import { nodeProgram } from "../node-program.ts";
import { addressPlan } from "../plan/address-plan.ts";
import { APT_PORT } from "../ports.ts";
import type { LabService } from "../service.ts";

/** The package proxy as a service of a lab: over the machine's own mirrors, on the lab's own address only. */
export function aptProxyService(lab: string, cache: string, apt: AptSettings): LabService {
  const { machine } = addressPlan(lab);
  return {
    name: "apt-proxy",
    command: [
      ...nodeProgram(new URL("./main.ts", import.meta.url)),
      ...["--listen", machine, "--port", String(APT_PORT), "--cache", join(cache, "apt")],
      ...["--archive", `debian=${apt.archive}`, "--archive", `debian-security=${apt.security}`],
      ...(apt.proxy === undefined ? [] : ["--proxy", apt.proxy]),
    ],
    readyUrl: `http://[${machine}]:${APT_PORT}/ready`,
  };
}
