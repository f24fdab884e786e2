import { chmod, mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Command, Host } from "#engine/index.ts";
import { etcdSnapshot } from "#modules/index.ts";
import { execute } from "../../support/execute.ts";

let folder: string;
let dir: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "etcd-snapshot-"));
  dir = join(folder, "backups");
  await mkdir(dir);
  // An etcdctl that saves something, and an etcdutl that finds it whole.
  await writeFile(
    join(folder, "etcdctl"),
    '#!/bin/sh\nfor word; do last=$word; done\ncase "$*" in *"snapshot save"*) echo saved >"$last";; esac\n',
  );
  await writeFile(join(folder, "etcdutl"), "#!/bin/sh\n");
  for (const name of ["etcdctl", "etcdutl"]) await chmod(join(folder, name), 0o755);
});
afterEach(() => rm(folder, { recursive: true }));

const here = (command: Command) => ({
  ...command,
  env: { PATH: `${folder}${delimiter}${process.env["PATH"]}` },
});
const host = {
  name: "cp1",
  text: async (command: Command) => (await execute(here(command))).stdout,
} as Host;

async function snapshot(name: string, hoursFromNow: number): Promise<void> {
  const path = join(dir, name);
  await writeFile(path, "snapshot");
  const sum = await execute({ argv: ["sha256sum", path] });
  await writeFile(`${path}.sha256`, sum.stdout.replace(`${dir}/`, ""));
  const at = new Date(Date.now() + hoursFromNow * 3_600_000);
  await utimes(path, at, at);
}

const want = (keep: number) => etcdSnapshot.spec.params.parse({ dir, keep, maxAgeHours: 24 });
const read = (keep: number) => etcdSnapshot.spec.read(host, want(keep));

describe("a host's clock that was ahead, and is right again", () => {
  test("a snapshot from the future is not fresh: the newest of the past counts", async () => {
    await snapshot("etcd-20261124-180000.db", -1);
    await snapshot("etcd-20300101-000000.db", 26_000);
    expect(await read(7)).toMatchObject({ good: true, path: `${dir}/etcd-20261124-180000.db` });
  });

  test.each([1, 3])(
    "with none but those from the future, one is made, and kept where %i are kept",
    async (keep) => {
      for (const year of [2030, 2031, 2032]) await snapshot(`etcd-${year}0101-000000.db`, 26_000);
      const before = await read(keep);
      expect(before).toMatchObject({ good: false });
      const [change] = [...etcdSnapshot.spec.diff(before, want(keep))];
      if (change?.op !== "run") throw new Error("a snapshot is made by a command");
      expect(await execute(here(change.command))).toMatchObject({ code: 0, stderr: "" });
      expect(await read(keep)).toMatchObject({ good: true });
      const kept = (await readdir(dir)).filter((name) => name.endsWith(".db"));
      expect(kept).toHaveLength(keep);
    },
  );
});

describe("snapshots that somebody made by hand", () => {
  test("stay where fewer are kept, and a newer one without a checksum makes no other count as damaged", async () => {
    await snapshot("etcd-20261124-180000.db", -30);
    await writeFile(join(dir, "etcd-before-upgrade.db"), "by hand");
    await writeFile(join(dir, "etcd-a b.db"), "by hand");
    const before = await read(1);
    expect(before).toMatchObject({ good: false });
    const [change] = [...etcdSnapshot.spec.diff(before, want(1))];
    if (change?.op !== "run") throw new Error("a snapshot is made by a command");
    expect(await execute(here(change.command))).toMatchObject({ code: 0, stderr: "" });
    await writeFile(join(dir, "etcd-by-hand-again.db"), "by hand");
    expect(await read(1)).toMatchObject({ good: true });
    const kept = (await readdir(dir)).filter((name) => /^etcd-(before|a b|by)/.test(name));
    expect(kept).toHaveLength(3);
    expect(await readdir(dir)).not.toContain("etcd-20261124-180000.db");
  });
});

test("fewer to keep: those too many go at once, and nobody else's", async () => {
  for (const hours of [1, 2, 3, 4]) await snapshot(`etcd-20261124-18000${9 - hours}.db`, -hours);
  await snapshot("etcd-before-upgrade.db", -9);
  const before = await read(2);
  expect(before).toMatchObject({ newest: { count: 4 } });
  const [change, ...more] = [...etcdSnapshot.spec.diff(before, want(2))];
  expect(more).toEqual([]);
  expect(change?.op).toBe("run");
  if (change?.op === "run") await execute(here(change.command));
  expect((await readdir(dir)).filter((name) => name.endsWith(".db")).sort()).toEqual([
    "etcd-20261124-180007.db",
    "etcd-20261124-180008.db",
    "etcd-before-upgrade.db",
  ]);
  expect([...etcdSnapshot.spec.diff(await read(2), want(2))]).toEqual([]);
});
