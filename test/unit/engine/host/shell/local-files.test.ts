import { createHash, randomBytes } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { localTransport } from "#engine/host/local.ts";
import { BLOCK, Blocks } from "#engine/host/shell/blocks.ts";
import { FileContent } from "#engine/host/shell/content.ts";
import { LocalFiles } from "#engine/host/shell/local-files.ts";
import { scratchFolder } from "../../../../support/scratch.ts";

/** A file in memory that counts what is read of it. */
function counted(bytes: Buffer) {
  const read: number[] = [];
  const file = {
    async read(into: Buffer, offset: number, length: number, position: number) {
      read.push(position / BLOCK);
      const bytesRead = bytes.copy(into, offset, position, position + length);
      await new Promise(setImmediate);
      return { bytesRead, buffer: into };
    },
  };
  return {
    read,
    content: new FileContent(new Blocks(file as never, bytes.length), bytes.length, new Map()),
  };
}

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

async function all(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const copies: Buffer[] = [];
  for await (const chunk of chunks) {
    // Who is slow must not find another block in the memory of this one.
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 3));
    copies.push(Buffer.from(chunk));
  }
  return Buffer.concat(copies);
}

test("a file that goes to many at once is read once, and hashed of what was read", async () => {
  const bytes = randomBytes(9.5 * BLOCK);
  const { read, content } = counted(bytes);
  content.expect("sha256");
  const copies = await Promise.all(Array.from({ length: 20 }, () => all(content.chunks(0))));
  expect(copies.every((copy) => copy.equals(bytes))).toBe(true);
  expect(await content.sum("sha256")).toBe(sha256(bytes));
  expect(read).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test("readers far apart each get the whole file", async () => {
  const bytes = randomBytes(80 * BLOCK + 5);
  const { content } = counted(bytes);
  const slow = content.chunks(0);
  const first = Buffer.from((await slow.next()).value ?? []);
  expect((await all(content.chunks(0))).equals(bytes)).toBe(true);
  expect(Buffer.concat([first, await all(slow)]).equals(bytes)).toBe(true);
});

test("a part of a file is given and hashed as that part", async () => {
  const bytes = randomBytes(3 * BLOCK);
  const { content } = counted(bytes);
  for (const from of [0, 1, BLOCK - 1, BLOCK, 2.5 * BLOCK, bytes.length]) {
    expect((await all(content.chunks(from))).equals(bytes.subarray(from))).toBe(true);
    expect(await content.sum("sha256", from)).toBe(sha256(bytes.subarray(0, from)));
  }
});

test("a file that shrinks while it is read is an error, not a shorter file", async () => {
  const { content } = counted(randomBytes(BLOCK));
  const longer = new FileContent(
    new Blocks({ read: async () => ({ bytesRead: 0, buffer: Buffer.alloc(0) }) } as never, 5),
    5,
    new Map(),
  );
  expect(await content.sum("sha256")).toHaveLength(64);
  await expect(all(longer.chunks(0))).rejects.toThrow("it changed while it was read");
  await expect(longer.sum("sha256")).rejects.toThrow("it changed while it was read");
});

test("a file that was written anew is hashed anew", async () => {
  await using folder = await scratchFolder();
  const path = join(folder.dir, "file");
  const files = new LocalFiles();
  const sum = () => files.with(path, (content) => content.sum("sha256"));
  writeFileSync(path, "one");
  expect(await sum()).toBe(sha256(Buffer.from("one")));
  expect(await sum()).toBe(sha256(Buffer.from("one")));
  writeFileSync(path, "another");
  expect(await sum()).toBe(sha256(Buffer.from("another")));
  await expect(files.with(folder.dir, async () => 1)).rejects.toThrow("it is no file");
});

// What the kernel counts, so that nothing of ours can be wrong about it; by thread, as a process also counts what its
// children read.
const bytesRead = () =>
  readdirSync("/proc/self/task")
    .map((thread) => readFileSync(`/proc/self/task/${thread}/io`, "utf8"))
    .reduce((sum, io) => sum + Number(/^rchar: (\d+)/m.exec(io)?.[1]), 0);

test("the same file to twenty hosts is read from the disk once", async () => {
  await using folder = await scratchFolder();
  const from = join(folder.dir, "from");
  const content = randomBytes(20 * BLOCK);
  writeFileSync(from, content);
  const transport = localTransport();
  const hosts = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      transport.connect({ name: `h${index}`, address: "::1" }),
    ),
  );
  const before = bytesRead();
  await Promise.all(hosts.map((host, index) => host.upload(from, join(folder.dir, `to-${index}`))));
  expect(bytesRead() - before).toBeLessThan(1.5 * content.length);
  for (const index of hosts.keys())
    expect((await readFile(join(folder.dir, `to-${index}`))).equals(content)).toBe(true);
  await Promise.all(hosts.map((host) => host.close()));
});
