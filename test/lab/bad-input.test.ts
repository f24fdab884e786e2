import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { HostEntry } from "#engine/dsl/inventory.ts";
import type { RunEvent } from "#engine/report/event.ts";
import { openLab } from "#lab/lab.ts";
import type { LabView } from "#lab/view.ts";
import { type Played, play, root } from "../support/cli.ts";

// What an operator gets wrong, on real hosts: a clear error, nothing half-done, and a second run finishes the job.
const lab = openLab("badinput");
const folder = mkdtempSync(join(tmpdir(), "run-playbook-badinput-"));
const inventory = join(folder, "hosts.ts");
let view: LabView;

beforeAll(async () => {
  await lab.down();
  view = await lab.up({ hosts: ["w1", "w2"], bare: true, disk: "1G", yes: true });
});

afterAll(async () => {
  await lab.down();
  rmSync(folder, { recursive: true });
});

type Entry = Partial<HostEntry> & { readonly sudoFrom?: string };

/** The lab's w1 as it should be, and `w2` as the operator got it. */
function hosts(wrong: Entry): void {
  const entry = (name: string, given: Entry = {}) => {
    const { sudoFrom, ...rest } = given;
    const right = {
      address: view.hosts.find((host) => host.name === name)?.address ?? "",
      user: "root",
      identityFile: view.identityFile,
      knownHostsFile: view.knownHostsFile,
    };
    const sudo = sudoFrom === undefined ? "" : `, sudoPassword: secretFrom.file("${sudoFrom}")`;
    return `${name}: { ...${JSON.stringify({ ...right, ...rest })}${sudo} }`;
  };
  writeFileSync(
    inventory,
    `import { defineInventory, secretFrom } from "run-playbook";
export default defineInventory({
  hosts: { ${entry("w1")}, ${entry("w2", wrong)} },
  groups: { hosts: ["w1", "w2"] },
});
void secretFrom;
`,
  );
}

const note = (path: string, ...args: string[]): Promise<Played> =>
  play([
    join(root, "test/fixtures/hosts/note.ts"),
    ...["--inventory", inventory, "--param", `path=${path}`],
    ...args,
  ]);

const codes = ({ events }: Played): string[] =>
  events.flatMap((event: RunEvent) => ("error" in event && event.error ? [event.error.code] : []));

const there = async (host: string, path: string): Promise<boolean> =>
  (await lab.exec(host, ["test", "-e", path])).code === 0;

/** One host goes wrong in this way, the other is done, and after the fix a second run does only the rest. */
async function oneGoesWrong(path: string, wrong: Entry, code: string): Promise<Played> {
  hosts(wrong);
  const failed = await note(path);
  expect(failed.code).toBe(1);
  expect(codes(failed)).toEqual([code]);
  expect(failed.ended("changed")).toEqual(["note on w1"]);
  expect(await there("w2", path)).toBe(false);
  hosts({});
  const mended = await note(path);
  expect(mended.code).toBe(0);
  expect(mended.ended("changed")).toEqual(["note on w2"]);
  return failed;
}

test("a key that the host does not know", async () => {
  const key = join(folder, "other");
  await keygen(key);
  await oneGoesWrong("/root/key", { identityFile: key }, "PB_AUTH_FAILED");
});

test("a port on which nobody listens", async () => {
  await oneGoesWrong("/root/refused", { port: 1 }, "PB_CONNECT_REFUSED");
});

test("an address that takes the connection and stays silent", async () => {
  const silent = createServer();
  await new Promise<void>((done) => {
    silent.listen(0, view.serviceAddress, done);
  });
  const address = silent.address();
  const port = typeof address === "object" && address ? address.port : 0;
  try {
    await oneGoesWrong("/root/silent", { address: view.serviceAddress, port }, "PB_CONNECT_SILENT");
  } finally {
    silent.close();
  }
});

test("an address on which nobody is", async () => {
  const nobody = view.prefix.replace(/\/64$/, "dead");
  await oneGoesWrong("/root/nobody", { address: nobody }, "PB_CONNECT_UNREACHABLE");
});

test("a name that does not resolve", async () => {
  await oneGoesWrong("/root/name", { address: "no-such-host.invalid" }, "PB_CONNECT_UNRESOLVED");
});

test("a host key that known_hosts does not have", async () => {
  const empty = join(folder, "known_hosts");
  writeFileSync(empty, "");
  await oneGoesWrong("/root/host-key", { knownHostsFile: empty }, "PB_HOST_KEY_UNKNOWN");
});

test("a host key that changed is refused even where new ones are accepted", async () => {
  const swapped = join(folder, "swapped");
  const lines = readFileSync(view.knownHostsFile, "utf8").trim().split("\n");
  const keyOf = (name: string) => {
    const address = view.hosts.find((host) => host.name === name)?.address ?? "";
    return lines.find((line) => line.startsWith(address) || line.includes(`,${address}`)) ?? "";
  };
  const [names] = keyOf("w2").split(" ");
  writeFileSync(swapped, `${[names, ...keyOf("w1").split(" ").slice(1)].join(" ")}\n`);
  await oneGoesWrong(
    "/root/changed-key",
    { knownHostsFile: swapped, hostKeys: "accept-new" },
    "PB_HOST_KEY_CHANGED",
  );
});

test("a wrong sudo password, and none where one is asked for", async () => {
  const wrong = join(folder, "sudo-password");
  writeFileSync(wrong, "not-the-password\n", { mode: 0o600 });
  const refused = { user: "opspw", sudoFrom: wrong };
  const failed = await oneGoesWrong("/root/sudo-wrong", refused, "PB_SUDO_REFUSED");
  expect(failed.stdout).not.toContain("not-the-password");
  await oneGoesWrong("/root/sudo-none", { user: "opspw" }, "PB_SUDO_PASSWORD_NEEDED");
  hosts({ user: "opspw", sudoFrom: view.sudoPasswordFile });
  expect((await note("/root/sudo-right")).code).toBe(0);
});

test("a folder that cannot be written: nothing is left beside it", async () => {
  hosts({});
  await lab.exec("w2", ["sh", "-c", "mkdir /srv/ro && mount --bind -o ro /srv/ro /srv/ro"]);
  await lab.exec("w2", ["mount", "-o", "remount,bind,ro", "/srv/ro"]);
  await lab.exec("w1", ["mkdir", "-p", "/srv/ro"]);
  const failed = await note("/srv/ro/note");
  expect(failed.code).toBe(1);
  expect(codes(failed)).toEqual(["PB_WRITE_FAILED"]);
  expect(failed.stdout).toContain("Read-only file system");
  await lab.exec("w2", ["umount", "/srv/ro"]);
  expect((await note("/srv/ro/note")).ended("changed")).toEqual(["note on w2"]);
});

test("a full disk: the old content stays whole, and nothing is left beside it", async () => {
  hosts({});
  const path = "/var/tmp/full/note";
  for (const host of ["w1", "w2"]) await lab.exec(host, ["mkdir", "-p", "/var/tmp/full"]);
  expect((await note(path)).code).toBe(0);
  await lab.exec("w2", ["sh", "-c", "cat /dev/zero >/var/tmp/ballast"], { seconds: 120 });
  const failed = await note(path, "--param", "size=3000000");
  expect(failed.code).toBe(1);
  expect(codes(failed)).toEqual(["PB_WRITE_FAILED"]);
  expect(failed.stdout).toContain("No space left on device");
  expect((await lab.exec("w2", ["cat", path])).stdout).toBe("xxxxx");
  expect((await lab.exec("w2", ["ls", "-A", "/var/tmp/full"])).stdout.trim()).toBe("note");
  await lab.exec("w2", ["rm", "/var/tmp/ballast"]);
  expect((await note(path, "--param", "size=3000000")).ended("changed")).toEqual(["note on w2"]);
});

const keygen = (path: string) =>
  promisify(execFile)("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path]);
