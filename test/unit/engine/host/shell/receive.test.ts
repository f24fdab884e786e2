import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { localTransport } from "#engine/host/local.ts";
import { partOf } from "#engine/host/shell/files.ts";
import { scratchFolder } from "../../../../support/scratch.ts";

afterEach(() => {
  vi.unstubAllEnvs();
});

/** This machine as one with so many processors, and without some programs. */
function machine(folder: string, processors: number, lacks: readonly string[]): void {
  const bin = join(folder, "bin");
  mkdirSync(bin);
  for (const program of lacks) {
    writeFileSync(join(bin, program), "#!/bin/sh\nexit 127\n");
    chmodSync(join(bin, program), 0o755);
  }
  vi.stubEnv("PATH", `${bin}:${process.env["PATH"]}`);
  // nproc believes it.
  vi.stubEnv("OMP_NUM_THREADS", String(processors));
}

const content = randomBytes(3_000_000);

test.each([
  ["openssl, one processor", 1, []],
  ["openssl, many processors", 8, []],
  ["b2sum, one processor", 1, ["openssl"]],
  ["b2sum, many processors", 8, ["openssl"]],
  ["sha256sum alone, one processor", 1, ["openssl", "b2sum"]],
  ["sha256sum alone, many processors", 8, ["openssl", "b2sum"]],
  ["sha256sum alone, and nothing that counts processors", 8, ["openssl", "b2sum", "nproc"]],
])(
  "files come and go whole, and go on after a cut, on a host with %s",
  async (_, processors, lacks) => {
    await using folder = await scratchFolder();
    machine(folder.dir, processors, lacks);
    const at = (name: string) => join(folder.dir, name);
    const host = await localTransport().connect({ name: "here", address: "::1" });
    writeFileSync(at("from"), content);
    expect(await host.upload(at("from"), at("whole"))).toBe(true);
    expect(await host.upload(at("from"), at("whole"))).toBe(false);
    writeFileSync(partOf(at("cut")), content.subarray(0, 2_000_000));
    expect(await host.upload(at("from"), at("cut"))).toBe(true);
    for (const name of ["whole", "cut"]) expect(readFileSync(at(name)).equals(content)).toBe(true);
    expect(existsSync(partOf(at("cut")))).toBe(false);
    writeFileSync(at(".back.pb-part"), content.subarray(0, 2_000_000));
    await host.download(at("from"), at("back"));
    expect(readFileSync(at("back")).equals(content)).toBe(true);
    await host.close();
  },
);
