/** Carries frames between two open cards, late or not at all, both ways. Runs until it is ended. */
import { once } from "node:events";
import { createServer } from "node:http";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { moduleFile } from "../node-program.ts";
import { type Ailment, DelayQueue } from "./delay-queue.ts";
import type { Task } from "./worker.ts";

const { values } = parseArgs({
  options: {
    address: { type: "string" },
    port: { type: "string" },
    delay: { type: "string" },
    loss: { type: "string" },
    card: { type: "string", multiple: true },
  },
});
const { address, port, delay, loss, card = [] } = values;
const [near, far] = card.map(Number);
if (address === undefined || near === undefined || far === undefined)
  throw new Error(
    "usage: main --address ADDRESS --port PORT --delay MS --loss PERCENT --card FD --card FD",
  );

const ailment: Ailment = { delayMs: Number(delay), lossPercent: Number(loss) };
const [away, back] = await Promise.all([carry(near, far), carry(far, near)]);

createServer((_, response) => {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ away: away.counts(), back: back.counts() }));
}).listen({ host: address, port: Number(port), ipv6Only: true });

// A thread for each end: reading a card blocks until there is a frame, and what is due must not wait for that. A
// thread that fails takes the program with it, for nobody listens to its error.
async function carry(from: number, to: number): Promise<DelayQueue> {
  const memory = DelayQueue.memory();
  const tasks: Task[] = [
    { end: "in", card: from, memory, ailment },
    { end: "out", card: to, memory, ailment },
  ];
  const file = moduleFile(new URL("./worker.ts", import.meta.url));
  const threads = tasks.map((workerData) => new Worker(file, { workerData }));
  await Promise.all(threads.map((thread) => once(thread, "online")));
  return new DelayQueue(memory, ailment, { now: () => 0, random: () => 0 });
}
