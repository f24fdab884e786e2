/** One end of one direction: takes frames in from a card, or gives them out when they are due. */
import { readSync, writeSync } from "node:fs";
import { workerData } from "node:worker_threads";
import { type Ailment, DelayQueue } from "./delay-queue.ts";

/** What a thread of the line is told. */
export interface Task {
  readonly end: "in" | "out";
  /** The open card. */
  readonly card: number;
  readonly memory: SharedArrayBuffer;
  readonly ailment: Ailment;
}

const { end, card, memory, ailment }: Task = workerData;
// performance.now() starts anew in each thread.
const now = () => Number(process.hrtime.bigint()) / 1e6;
const queue = new DelayQueue(memory, ailment, { now, random: Math.random });
const still = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

if (end === "in") for (;;) queue.arrived(readSync(card, queue.room));

for (;;) {
  const ms = queue.dueIn;
  if (ms === undefined) queue.waitForFrame();
  // Later frames are due later: nothing can happen meanwhile.
  else if (ms > 0) Atomics.wait(still, 0, 0, ms);
  else {
    give(queue.first);
    queue.taken();
  }
}

function give(frame: Uint8Array): void {
  try {
    writeSync(card, frame);
  } catch (error) {
    // A card that is switched off takes nothing, as in life: the frame is lost.
    if (!(error instanceof Error && "code" in error && error.code === "EIO")) throw error;
  }
}
