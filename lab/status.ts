import { isAlive } from "#engine/host/process-identity.ts";
import { describeFaults, describeLine } from "./faults/fault-state.ts";
import { isRunning } from "./hosts.ts";
import { addressPlan } from "./plan/address-plan.ts";
import { answers } from "./services.ts";
import type { HostState, LabState } from "./state/state.ts";

/** A lab's state for a person, and whether all that should run runs. */
export interface LabStatus {
  readonly text: string;
  readonly healthy: boolean;
}

type Row = readonly [name: string, where: string, how: string, ok: boolean];

/** Looks at every host and service. */
export async function labStatus(state: LabState): Promise<LabStatus> {
  const plan = addressPlan(state.name);
  const hosts = Object.entries(state.hosts).map(async ([name, host]): Promise<Row> => {
    const power = await hostPower(host);
    const how = [power, ...describeFaults(host.faults ?? {})].join(", ");
    return [name, plan.host(host.index), how, power !== "crashed"];
  });
  const services = Object.entries(state.services).map(async ([name, service]): Promise<Row> => {
    const up = (await isAlive(service.process)) && (await answers(service.readyUrl));
    return [name, service.readyUrl, up ? "up" : `down, see ${service.log}`, up];
  });
  const rows = await Promise.all([...hosts, ...services]);
  const families = state.dualStack ? "IPv6 and IPv4" : "IPv6 only";
  const head = `lab ${state.name}: ${plan.prefix}, ${families}, virtual IP ${plan.virtualIp}\n`;
  const cable = state.cableFault
    ? `  between this machine and the hosts: ${describeLine(state.cableFault)}\n`
    : "";
  return { text: head + cable + table(rows), healthy: rows.every(([, , , ok]) => ok) };
}

async function hostPower(host: HostState): Promise<"up" | "power cut" | "crashed"> {
  if (host.power === "off") return "power cut";
  return (await isRunning(host)) ? "up" : "crashed";
}

function table(rows: readonly Row[]): string {
  const width = (column: 0 | 1) => Math.max(0, ...rows.map((row) => row[column].length));
  return rows
    .map(([name, where, how]) => `  ${name.padEnd(width(0))}  ${where.padEnd(width(1))}  ${how}\n`)
    .join("");
}
