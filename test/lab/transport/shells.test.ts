import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { finished } from "node:stream/promises";
import { afterAll, beforeAll } from "vitest";
import { ShellConnection } from "#engine/host/shell/connection.ts";
import type { Pipe, PipeEnd } from "#engine/host/shell/pipe.ts";
import { conformance } from "../../support/conformance.ts";

const busybox = ["/usr/bin/busybox", "/bin/busybox"].find((path) => existsSync(path));
const shells = [
  ["bash", "/bin/bash"],
  ...(busybox === undefined ? [] : [["busybox ash", busybox]]),
] as const;

for (const [name = "", path = ""] of shells) {
  let bin: string;
  beforeAll(() => {
    bin = mkdtempSync(join(tmpdir(), "shell-"));
    symlinkSync(path, join(bin, "sh"));
    if (path === busybox) execFileSync(busybox, ["--install", "-s", bin]);
  });
  afterAll(() => rmSync(bin, { recursive: true }));

  const open = async (line: string): Promise<Pipe> => {
    const env = { ...process.env, PATH: `${bin}:/usr/bin:/bin` };
    const child = spawn(join(bin, "sh"), ["-c", line], { detached: true, env });
    const ended = new Promise<PipeEnd>((resolve) => {
      child.once("close", (code) => resolve(code === null ? {} : { code }));
    });
    // Of a child that has exited, Node throws away what nobody reads at that moment.
    const { stdin } = child;
    const [stdout, stderr] = [child.stdout, child.stderr].map((output) =>
      output.pipe(new PassThrough()),
    ) as [PassThrough, PassThrough];
    const read = (output: PassThrough) =>
      finished(output, { writable: false }).catch(() => undefined);
    const closed = Promise.all([ended, read(stdout), read(stderr)]).then(([end]) => end);
    const destroy = () => {
      for (const stream of [stdin, child.stdout, child.stderr, stdout, stderr]) stream.destroy();
    };
    return { stdin, stdout, stderr, closed, destroy };
  };
  conformance(name, {
    connect: async () =>
      new ShellConnection({
        open,
        identity: { host: name, loginUser: userInfo().username },
        lost: new Promise<Error>(() => undefined),
        end: async () => undefined,
      }),
    folder: `/tmp/conformance-${name.replace(" ", "-")}-${process.pid}`,
    owner: userInfo().username,
    realShell: true,
  });
}
