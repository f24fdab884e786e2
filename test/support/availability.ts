import { setTimeout as pause } from "node:timers/promises";
import { z } from "zod";
import type { Lab } from "#lab/lab.ts";
import { proof } from "#modules/network-proof/workload.ts";
import type { ClusterAccess } from "./cluster.ts";

/** One thing that was tried: when it began, in ms since the epoch, and whether it succeeded. */
interface Sample {
  readonly at: number;
  readonly ok: boolean;
}

/** What users of a cluster saw of a fault, in seconds from the fault to the last try that failed; 0 where none did. */
export interface Seen {
  readonly api: number;
  /** By node: lookups through the C library, in a pod there. */
  readonly dns: Readonly<Record<string, number>>;
  readonly tries: number;
}

/** How long is watched after the fault. Seconds. */
const WATCHED = 45;
/** A lookup that waits for a lost name server takes the C library 10 s; one in two is begun before the last ends. */
const LOOKUPS = `# lookups
name=$1 pod=$2 end=$(($(date +%s) + $3))
while [ "$(date +%s)" -lt "$end" ]; do
  at=$(date +%s%3N)
  { curl -sgf -m 20 "http://$pod/shell?cmd=getent+ahosts+$name" | grep -q STREAM; echo "$at $?"; } &
  sleep 0.5
done
wait`;

const Pods = z.object({
  items: z.array(
    z.object({
      spec: z.object({ nodeName: z.string() }),
      status: z.object({ podIP: z.string() }),
    }),
  ),
});

/** Cuts the power of a host, and tells what users on all other hosts and at the API see of it. */
export async function cutPower(lab: Lab, access: ClusterAccess, victim: string): Promise<Seen> {
  const pods = await proofPods(access);
  const watched = [...pods].filter(([node]) => node !== victim);
  const stop = new AbortController();
  const api = readApi(access, stop.signal);
  const lookups = watched.map(async ([node, podIp]) => ({
    node,
    samples: await lookUp(lab, node, podIp),
  }));
  // All of them are well before it begins.
  await pause(3000);
  const cut = Date.now();
  await lab.kill(victim);
  const found = await Promise.all(lookups);
  stop.abort();
  const reads = await api;
  for (const samples of [reads, ...found.map((one) => one.samples)])
    if (!samples.some(({ ok, at }) => ok && at < cut))
      throw new Error(`nothing worked before ${victim} was cut: ${JSON.stringify(samples[0])}`);
  return {
    api: failedFor(reads, cut),
    dns: Object.fromEntries(found.map(({ node, samples }) => [node, failedFor(samples, cut)])),
    tries: reads.length + found.flatMap(({ samples }) => samples).length,
  };
}

const failedFor = (samples: readonly Sample[], cut: number): number => {
  const last = samples.filter(({ ok }) => !ok).map(({ at }) => at);
  return last.length === 0 ? 0 : (Math.max(...last) - cut) / 1000;
};

async function proofPods(access: ClusterAccess): Promise<Map<string, string>> {
  const listed = await access.get(`/api/v1/namespaces/${proof.namespace}/pods`);
  const { items } = Pods.parse(JSON.parse(listed));
  return new Map(items.map(({ spec, status }) => [spec.nodeName, status.podIP]));
}

async function lookUp(lab: Lab, node: string, podIp: string): Promise<Sample[]> {
  const name = "kubernetes.default.svc.cluster.local";
  const pod = `[${podIp}]:${proof.port}`;
  const argv = ["sh", "-c", LOOKUPS, "sh", name, pod, String(WATCHED)] as const;
  const { stdout } = await lab.exec(node, argv, { seconds: WATCHED + 60 });
  return Array.from(stdout.matchAll(/^(\d+) (\d+)$/gm), ([, at, code]) => ({
    at: Number(at),
    ok: code === "0",
  }));
}

/** Reads at the virtual IP, ten a second, each for a second at most. */
async function readApi(access: ClusterAccess, signal: AbortSignal): Promise<Sample[]> {
  const reads: Promise<Sample>[] = [];
  while (!signal.aborted) {
    const at = Date.now();
    const read = access.get("/api/v1/namespaces/default", 1000).then(
      () => ({ at, ok: true }),
      () => ({ at, ok: false }),
    );
    reads.push(read);
    await pause(100);
  }
  return Promise.all(reads);
}
