import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { Connection } from "#engine/host/connection.ts";
import { sshTransport } from "#engine/host/ssh/transport.ts";
import { type Sshd, startSshd } from "../../../../support/sshd.ts";
import { Wire } from "../../../../support/wire.ts";

// The machine may be busy with other tests.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 30_000 });

const MEGABYTES = 12;
const content = randomBytes(MEGABYTES * 1_000_000);
let sshd: Sshd;
const at = (path: string) => join(sshd.folder, path);

beforeAll(async () => {
  sshd = await startSshd();
  writeFileSync(at("local"), content);
});
afterAll(() => sshd.stop());

/** A connection over a wire of its own, which `broken` breaks once more than half of the file has passed. */
async function over(way: "there" | "back", broken?: (wire: Wire) => void) {
  const wire = await Wire.to(sshd.port);
  let once = broken;
  wire.onCarried = (carried) => {
    if (carried[way] < content.length / 2) return;
    once?.(wire);
    once = undefined;
  };
  const host: Connection = await sshTransport({
    configFiles: [],
    keepalive: { keepaliveInterval: 300, keepaliveCountMax: 2 },
  }).connect({
    ...sshd.target,
    port: wire.port,
    knownHostsFile: at(`known-${wire.port}`),
    hostKeys: "accept-new",
  });
  return { host, wire };
}

const cut = { code: "PB_CONNECTION_LOST" };
const ways: [string, (wire: Wire) => void][] = [
  ["resets", (wire) => wire.reset()],
  ["goes dead without a word", (wire) => wire.freeze()],
];

test.each(ways)("an upload goes on where it was when the wire %s", async (name, broken) => {
  const to = at(`up-${name.slice(0, 4)}/file`);
  mkdirSync(join(to, ".."));
  const first = await over("there", broken);
  await expect(first.host.upload(at("local"), to)).rejects.toMatchObject(cut);
  expect(readdirSync(join(to, "..")).filter((file) => file === "file")).toEqual([]);
  const second = await over("there");
  expect(await second.host.upload(at("local"), to)).toBe(true);
  // What had arrived is less than what was sent, by what was under way.
  expect(second.wire.carried.there).toBeLessThan(content.length * 0.9);
  expect(readFileSync(to).equals(content)).toBe(true);
  // A shell that was left behind without a word ends now, and must not touch what took its place.
  await first.wire.stop();
  await second.host.run({ argv: ["sleep", "0.3"] });
  expect(readdirSync(join(to, ".."))).toEqual(["file"]);
  expect(readFileSync(to).equals(content)).toBe(true);
  await second.host.close();
  await second.wire.stop();
});

test.each(ways)("a download goes on where it was when the wire %s", async (name, broken) => {
  const to = at(`down-${name.slice(0, 4)}/file`);
  mkdirSync(join(to, ".."));
  const first = await over("back", broken);
  await expect(first.host.download(at("local"), to)).rejects.toMatchObject(cut);
  expect(readdirSync(join(to, ".."))).toEqual([".file.pb-part"]);
  const second = await over("back");
  await second.host.download(at("local"), to);
  expect(second.wire.carried.back).toBeLessThan(content.length * 0.9);
  expect(readFileSync(to).equals(content)).toBe(true);
  expect(readdirSync(join(to, ".."))).toEqual(["file"]);
  expect(statSync(to).mode & 0o777).toBe(0o600);
  await second.host.close();
  await Promise.all([first.wire.stop(), second.wire.stop()]);
});

test("a file that changed after the cut is sent whole", async () => {
  const from = at("changing");
  writeFileSync(from, content);
  const first = await over("there", (wire) => wire.reset());
  await expect(first.host.upload(from, at("changed"))).rejects.toMatchObject(cut);
  const other = randomBytes(content.length);
  writeFileSync(from, other);
  const second = await over("there");
  await second.host.upload(from, at("changed"));
  expect(second.wire.carried.there).toBeGreaterThan(content.length);
  expect(readFileSync(at("changed")).equals(other)).toBe(true);
  await second.host.close();
  await Promise.all([first.wire.stop(), second.wire.stop()]);
});
