import { createHash, randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { partOf } from "#engine/host/shell/files.ts";
import { openLab } from "#lab/lab.ts";
import type { LabView } from "#lab/view.ts";
import * as use from "#modules/index.ts";
import { ensureOn } from "../support/lab-play.ts";
import { scratchFolder } from "../support/scratch.ts";

const lab = openLab("transfer");
const MEGABYTES = 200;
const content = randomBytes(MEGABYTES * 1_000_000);
const to = "/root/large";
let view: LabView;
let here: Awaited<ReturnType<typeof scratchFolder>>;

beforeAll(async () => {
  await lab.down();
  [view, here] = await Promise.all([
    lab.up({ hosts: ["w1"], disk: "2G", bare: true, yes: true }),
    scratchFolder(),
  ]);
  await writeFile(join(here.dir, "large"), content);
});
afterAll(async () => {
  await lab.heal();
  await lab.down();
  await here?.[Symbol.asyncDispose]();
});

const number = async (...argv: [string, ...string[]]): Promise<number> =>
  Number((await lab.exec("w1", argv)).stdout.trim() || 0);
const arrived = () => number("sh", "-c", `stat -c %s ${partOf(to)} 2>/dev/null`);
const received = () => number("cat", "/sys/class/net/eth0/statistics/rx_bytes");

const send = () =>
  ensureOn(view, "w1", use.remoteFile({ from: join(here.dir, "large"), path: to }));

test("a file whose way is cut in the middle is not there, and the next run sends only what is missing", async () => {
  const first = send();
  // Until a good part of it has arrived; a machine that is busy takes its time.
  for (let left = 600; (await arrived()) < 40_000_000 && left > 0; left--) await wait(50);
  await lab.cut("w1");
  const { recap, errors } = await first;
  expect(recap).toMatchObject({ changed: 0, exitCode: 1 });
  expect(errors).toMatchObject([{ code: "PB_CONNECTION_LOST" }]);
  const kept = await arrived();
  expect(kept).toBeGreaterThan(40_000_000);
  expect(await lab.exec("w1", ["test", "-e", to])).toMatchObject({ code: 1 });

  await lab.heal("w1");
  const before = await received();
  expect((await send()).recap).toMatchObject({ changed: 1, exitCode: 0 });
  expect((await received()) - before).toBeLessThan(1.1 * (content.length - kept) + 5_000_000);
  const { stdout } = await lab.exec("w1", ["sha256sum", to]);
  expect(stdout.slice(0, 64)).toBe(createHash("sha256").update(content).digest("hex"));
  expect((await send()).recap).toMatchObject({ ok: 1, changed: 0 });
  expect((await lab.exec("w1", ["sh", "-c", "ls -A /root | grep pb-"])).stdout).toBe("");
});
