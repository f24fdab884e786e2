import { describe, expect, it } from "vitest";
import { type Ailment, DelayQueue } from "#lab/delay-line/delay-queue.ts";

/** A queue whose time and chance the test sets. */
function queueOf(ailment: Partial<Ailment>, slots = 4) {
  const nature = { time: 1000, chance: 0.5 };
  const queue = new DelayQueue(
    DelayQueue.memory(slots),
    { delayMs: 25, lossPercent: 0, ...ailment },
    { now: () => nature.time, random: () => nature.chance },
  );
  const arrive = (text: string) => queue.arrived(Buffer.from(text).copy(queue.room));
  const due = () => {
    const out: string[] = [];
    while ((queue.dueIn ?? 1) <= 0) {
      out.push(Buffer.from(queue.first).toString());
      queue.taken();
    }
    return out;
  };
  return { queue, nature, arrive, due };
}

describe("a delay queue", () => {
  it("gives each frame out after the delay, in the order of arrival", () => {
    const { queue, nature, arrive, due } = queueOf({});
    expect(queue.dueIn).toBeUndefined();
    arrive("one");
    nature.time += 10;
    arrive("another");
    expect(queue.dueIn).toBe(15);
    expect(due()).toEqual([]);
    nature.time += 15;
    expect(due()).toEqual(["one"]);
    expect(queue.dueIn).toBe(10);
    nature.time += 11;
    expect(due()).toEqual(["another"]);
    expect(queue.dueIn).toBeUndefined();
  });

  it("without a delay gives frames out at once", () => {
    const { arrive, due } = queueOf({ delayMs: 0 });
    arrive("now");
    expect(due()).toEqual(["now"]);
  });

  it("loses as many as it is told, and counts them", () => {
    const { queue, nature, arrive, due } = queueOf({ delayMs: 0, lossPercent: 30 }, 16);
    for (let tenth = 0; tenth < 10; tenth += 1) {
      nature.chance = tenth / 10;
      arrive(`frame ${tenth}`);
    }
    expect(due()).toHaveLength(7);
    expect(queue.counts()).toEqual({ carried: 7, lost: 3, overflowed: 0 });
  });

  it("that is full drops what comes, not what is on its way", () => {
    const { queue, nature, arrive, due } = queueOf({}, 2);
    for (const text of ["a", "b", "c"]) arrive(text);
    nature.time += 25;
    expect(due()).toEqual(["a", "b"]);
    expect(queue.counts()).toEqual({ carried: 2, lost: 0, overflowed: 1 });
    arrive("d");
    nature.time += 25;
    expect(due()).toEqual(["d"]);
  });

  it("goes on when its places have been used many times over", () => {
    const { queue, nature, arrive, due } = queueOf({}, 4);
    for (let frame = 0; frame < 50; frame += 1) {
      arrive(`frame ${frame}`);
      nature.time += 25;
      expect(due()).toEqual([`frame ${frame}`]);
    }
    expect(queue.counts().carried).toBe(50);
  });

  it("is the same queue for whoever has its memory", () => {
    const memory = DelayQueue.memory(4);
    const nature = { now: () => 0, random: () => 0.5 };
    const ailment = { delayMs: 7, lossPercent: 0 };
    const one = new DelayQueue(memory, ailment, nature);
    const other = new DelayQueue(memory, ailment, nature);
    one.arrived(Buffer.from("shared").copy(one.room));
    expect(other.dueIn).toBe(7);
    // Returns at once, for there is a frame.
    other.waitForFrame();
    expect(Buffer.from(other.first).toString()).toBe("shared");
  });
});
