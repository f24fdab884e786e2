import { execFileSync, spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { finished } from "node:stream/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
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
  const connection = () =>
    new ShellConnection({
      open,
      identity: { host: name, loginUser: userInfo().username },
      lost: new Promise<Error>(() => undefined),
      end: async () => undefined,
    });
  conformance(name, {
    connect: async () => connection(),
    folder: `/tmp/conformance-${name.replace(" ", "-")}-${process.pid}`,
    owner: userInfo().username,
    realShell: true,
  });

  it(`${name}: a file that is a mount gets its new content, mode and nothing beside it`, async () => {
    const folder = mkdtempSync(join(tmpdir(), "mounted-"));
    const [outside, mounted] = [join(folder, "outside"), join(folder, "in/hosts")];
    mkdirSync(join(folder, "in"));
    for (const file of [outside, mounted]) writeFileSync(file, "old\n");
    execFileSync("mount", ["--bind", outside, mounted]);
    const host = connection();
    try {
      await host.writeFile(mounted, Buffer.from("new\n"), { mode: 0o640 });
      expect(readFileSync(outside, "utf8")).toBe("new\n");
      expect(statSync(outside).mode & 0o777).toBe(0o640);
      // Large ones, and files that are sent, take another way.
      const large = Buffer.alloc(3_000_000, "x");
      await host.writeFile(mounted, large, { mode: 0o600 });
      expect(readFileSync(outside).equals(large)).toBe(true);
      expect(statSync(outside).mode & 0o777).toBe(0o600);
      writeFileSync(join(folder, "from"), "sent\n");
      await host.upload(join(folder, "from"), mounted);
      expect(readFileSync(outside, "utf8")).toBe("sent\n");
      expect(readdirSync(join(folder, "in"))).toEqual(["hosts"]);
    } finally {
      await host.close();
      execFileSync("umount", [mounted]);
      rmSync(folder, { recursive: true });
    }
  });
}
