/** How long it takes from the command line to the first connection: a listener notes when somebody comes. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import type { BenchHosts } from "./hosts.ts";
import type { Peer } from "./peers/peer.ts";

const TIMES = 11;

/** ms of each of some starts of run-playbook; none where it is not among the peers. */
export async function firstConnections(
  peers: readonly Peer[],
  hosts: BenchHosts,
): Promise<number[]> {
  const ours = peers.find(({ name }) => name === "run-playbook");
  const all: number[] = [];
  if (ours !== undefined)
    for (let time = 0; time < TIMES; time += 1)
      all.push(Math.round(await firstConnection(ours, hosts)));
  return all;
}

/** ms from starting the process to its connection arriving. */
async function firstConnection(peer: Peer, { identityFile, knownHostsFile }: BenchHosts) {
  const server = createServer();
  server.listen(0, "::1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const host = { name: "h1", address: "::1", port: address.port, key: "" };
  const { argv, env } = await peer.command({ hosts: [host], identityFile, knownHostsFile });
  const [program, ...args] = argv;
  const start = performance.now();
  const child = spawn(program, args, { stdio: "ignore", env: { ...process.env, ...env } });
  const ended = once(child, "close");
  try {
    await Promise.race([once(server, "connection"), ended.then(() => never(argv))]);
    return performance.now() - start;
  } finally {
    child.kill("SIGKILL");
    await ended;
    server.close();
  }
}

function never(argv: readonly string[]): never {
  throw new Error(`${argv.join(" ")} ended without a connection`);
}
