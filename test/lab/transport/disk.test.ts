import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { sh } from "#engine/host/command.ts";
import type { Connection } from "#engine/host/connection.ts";
import { sshTransport } from "#engine/host/ssh/transport.ts";
import { type Sshd, startSshd } from "../../support/sshd.ts";

// The machine may be busy with other tests.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let sshd: Sshd;
let host: Connection;
let local: string;
const at = (path: string) => `${sshd.folder}/${path}`;

beforeAll(async () => {
  // A server with users has a mount namespace of its own: what is mounted here is seen by its sessions only.
  sshd = await startSshd({ users: [{ name: "nobody2" }] });
  host = await sshTransport({ configFiles: [], env: {} }).connect(sshd.target);
  local = mkdtempSync(join(tmpdir(), "disk-"));
  for (const [folder, options] of [
    ["small", "size=1m"],
    ["fixed", "size=1m"],
  ] as const) {
    await host.run(sh`mkdir ${at(folder)}`);
    await host.run(sh`mount -t tmpfs -o ${options} tmpfs ${at(folder)}`);
  }
  await host.writeFile(at("fixed/kept"), Buffer.from("old"));
  await host.run(sh`mount -o remount,ro ${at("fixed")}`);
});
afterAll(async () => {
  await host.close();
  await sshd.stop();
  rmSync(local, { recursive: true });
});

const listed = async (folder: string) => (await host.run(sh`ls -A ${at(folder)}`)).stdout;

describe.each([
  ["in one call", 200_000],
  ["in a channel of its own", 2_000_000],
])("content that goes %s", (_, size) => {
  const content = Buffer.alloc(size, "x");

  it("does not fit on a full disk: an error with the system's words, the old file and nothing else", async () => {
    await host.writeFile(at("small/file"), Buffer.from("old"));
    await host.run(sh`dd if=/dev/zero of=${at("small/filler")} bs=1k count=900`);
    const write = host.writeFile(at("small/file"), content);
    await expect(write).rejects.toMatchObject({ code: "PB_WRITE_FAILED" });
    await expect(write).rejects.toThrow("No space left on device");
    expect(String(await host.readFile(at("small/file")))).toBe("old");
    expect(await listed("small")).toBe("file\nfiller\n");
  });

  it("cannot be written to a read-only file system", async () => {
    const write = host.writeFile(at("fixed/kept"), content);
    await expect(write).rejects.toThrow("Read-only file system");
    expect(String(await host.readFile(at("fixed/kept")))).toBe("old");
    expect(await listed("fixed")).toBe("kept\n");
  });
});

it("an upload to a full disk fails alike", async () => {
  const from = join(local, "large");
  writeFileSync(from, Buffer.alloc(3_000_000, "x"));
  const upload = host.upload(from, at("small/large"));
  await expect(upload).rejects.toThrow("No space left on device");
  expect(await listed("small")).toBe("file\nfiller\n");
});

it("an upload to a full disk of a host with many processors fails alike", async () => {
  // There the file is written by tee, which goes on reading when it cannot write.
  const env = { OMP_NUM_THREADS: "8" };
  const server = await startSshd({ users: [{ name: "nobody2" }], env });
  const other = await sshTransport({ configFiles: [], env: {} }).connect(server.target);
  const small = `${server.folder}/small`;
  await other.run(sh`mkdir ${small}`);
  await other.run(sh`mount -t tmpfs -o size=1m tmpfs ${small}`);
  expect((await other.run(sh`nproc`)).stdout).toBe("8\n");
  const from = join(local, "large");
  writeFileSync(from, Buffer.alloc(3_000_000, "x"));
  await expect(other.upload(from, `${small}/large`)).rejects.toThrow("No space left on device");
  expect((await other.run(sh`ls -A ${small}`)).stdout).toBe("");
  await other.close();
  await server.stop();
});

it("a download of what does not fit on this side leaves nothing", async () => {
  await expect(host.download(at("small/filler"), "/proc/nothing/here")).rejects.toMatchObject({
    code: "PB_LOCAL_FILE",
  });
});
