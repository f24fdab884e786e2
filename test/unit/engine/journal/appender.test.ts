import { expect, test } from "vitest";
import { Appender, type JournalFile } from "#engine/journal/appender.ts";
import { settled } from "../../../support/virtual-clock.ts";

/** A file in memory whose operations the test can hold or fail. */
class Held implements JournalFile {
  text = "";
  readonly log: string[] = [];
  readonly #room: { bytes: number };
  hold: Promise<void> = Promise.resolve();
  failSync: Error | undefined;
  failTruncate: Error | undefined;

  constructor(room = { bytes: Number.POSITIVE_INFINITY }) {
    this.#room = room;
  }

  async write(bytes: Uint8Array) {
    const piece = Buffer.from(bytes.subarray(0, Math.min(7, this.#room.bytes)));
    if (piece.length === 0 && bytes.length > 0) throw new Error("ENOSPC: no space left on device");
    this.#room.bytes -= piece.length;
    this.text += piece.toString();
    this.log.push("write");
    return { bytesWritten: piece.length };
  }
  async datasync() {
    this.log.push("sync");
    await this.hold;
    if (this.failSync) throw this.failSync;
  }
  async truncate(length: number) {
    if (this.failTruncate) throw this.failTruncate;
    this.text = this.text.slice(0, length);
    this.log.push(`truncate ${length}`);
  }
  async close() {
    this.log.push("close");
  }
}

const syncs = ({ log }: Held) => log.filter((what) => what === "sync").length;

test("what is asked for together, or while a sync is on its way, shares the next one", async () => {
  const file = new Held();
  const appender = new Appender(file, 0);
  const { promise, resolve } = Promise.withResolvers<void>();
  file.hold = promise;
  const first = appender.append("first\n", { sync: true });
  await settled();
  const rest = Array.from({ length: 100 }, (_, index) =>
    appender.append(`${index}\n`, { sync: true }),
  );
  await settled();
  expect([file.text, syncs(file)]).toEqual(["first\n", 1]);
  resolve();
  await Promise.all([first, ...rest]);
  expect(syncs(file)).toBe(2);
  expect(file.text.split("\n")).toHaveLength(102);
});

test("a line that nobody needs on the disk costs no sync, and goes before all later ones", async () => {
  const file = new Held();
  const appender = new Appender(file, 0);
  const quick = appender.append("found\n");
  await appender.append("intent\n", { sync: true });
  await quick;
  expect(file.text).toBe("found\nintent\n");
  await appender.append("done\n");
  expect([file.text, syncs(file)]).toEqual(["found\nintent\ndone\n", 1]);
});

test("on a full disk no part of a line stays, and once there is room again it goes on", async () => {
  const room = { bytes: 20 };
  const file = new Held(room);
  const appender = new Appender(file, 0);
  await appender.append("0123456789\n");
  await expect(appender.append("abcdefghijklmnop\n", { sync: true })).rejects.toThrow("ENOSPC");
  expect(file.text).toBe("0123456789\n");
  room.bytes = 1000;
  await appender.append("again\n", { sync: true });
  expect(file.text).toBe("0123456789\nagain\n");
});

test.each([
  ["a failed sync", (file: Held) => Object.assign(file, { failSync: new Error("EIO: i/o error") })],
  [
    "a part of a line that cannot be taken away",
    (file: Held) => Object.assign(file, { failTruncate: new Error("EIO") }),
  ],
])("after %s nothing is appended any more", async (what, breakIt) => {
  const room = { bytes: what.includes("part") ? 3 : 1000 };
  const file = new Held(room);
  const appender = new Appender(file, 0);
  breakIt(file);
  await expect(appender.append("intent\n", { sync: true })).rejects.toThrow();
  room.bytes = 1000;
  file.failSync = undefined;
  await expect(appender.append("next\n", { sync: true })).rejects.toThrow();
  expect(file.text).not.toContain("next");
});

test("a line that comes the moment another one is done does not wait for a third", async () => {
  const appender = new Appender(new Held(), 0);
  await appender.append("one\n");
  await appender.append("two\n");
});

test("closing puts everything on the disk, and says so when that fails", async () => {
  const file = new Held();
  const appender = new Appender(file, 0);
  void appender.append("over\n");
  await appender.close();
  expect(file.log).toEqual(["write", "sync", "close"]);
  const failing = new Held();
  failing.failSync = new Error("EIO");
  await expect(new Appender(failing, 0).close()).rejects.toThrow("EIO");
  expect(failing.log.at(-1)).toBe("close");
});
