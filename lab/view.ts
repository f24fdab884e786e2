import { addressPlan, ipv4Plan } from "./plan/address-plan.ts";
import type { LabPaths } from "./state/paths.ts";
import type { LabState } from "./state/state.ts";

/** One host as an inventory sees it. */
export interface LabHostView {
  readonly name: string;
  readonly address: string;
  /** Only in dual-stack labs. */
  readonly address4?: string;
  readonly role: "controlPlane" | "worker";
}

/** A lab as the engine sees it: how to reach what, with which keys. */
export interface LabView {
  readonly name: string;
  readonly dualStack: boolean;
  readonly hosts: readonly LabHostView[];
  readonly identityFile: string;
  readonly knownHostsFile: string;
  /** Holds the password of the user opspw, whose sudo asks for it; the user ops has sudo without one. */
  readonly sudoPasswordFile: string;
  readonly prefix: string;
  readonly gateway: string;
  /** Where the lab's services listen. */
  readonly serviceAddress: string;
  readonly virtualIp: string;
  readonly podPrefixes: readonly string[];
  readonly servicePrefixes: readonly string[];
}

/** What a state and its paths say to the outside. */
export function labView(paths: LabPaths, state: LabState): LabView {
  const plan = addressPlan(state.name);
  const { dualStack } = state;
  const both = (v6: string, v4: string) => (dualStack ? [v6, v4] : [v6]);
  const hosts = Object.entries(state.hosts).map(
    ([name, { index }]): LabHostView => ({
      name,
      address: plan.host(index),
      ...(dualStack ? { address4: ipv4Plan.host(index) } : {}),
      role: name.startsWith("cp") ? "controlPlane" : "worker",
    }),
  );
  return {
    name: state.name,
    dualStack,
    hosts,
    identityFile: paths.identity,
    knownHostsFile: paths.knownHosts,
    sudoPasswordFile: paths.sudoPassword,
    prefix: plan.prefix,
    gateway: plan.gateway,
    serviceAddress: plan.machine,
    virtualIp: plan.virtualIp,
    podPrefixes: both(plan.podPrefix, ipv4Plan.podPrefix),
    servicePrefixes: both(plan.servicePrefix, ipv4Plan.servicePrefix),
  };
}
