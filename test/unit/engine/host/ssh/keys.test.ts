import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { Keyring } from "#engine/host/ssh/keys.ts";
import { Routes } from "#engine/host/ssh/route.ts";

const folder = mkdtempSync(join(tmpdir(), "run-playbook-keys-"));
afterAll(() => rmSync(folder, { recursive: true }));

const file = (name: string) => join(folder, name);
const makeKey = (name: string) =>
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", file(name)]);

async function routes(identityFile: string) {
  const known = await Routes.load({ home: folder, configFiles: [], env: {} });
  const to = (name: string) => known.of({ name, address: "2001:db8::1", identityFile });
  return [to("a"), to("b"), to("c")];
}

test("a key file that many hosts ask for at once is read once", async () => {
  makeKey("one");
  const keyring = new Keyring();
  const all = await Promise.all(
    (await routes(file("one"))).map((route) => keyring.credentials(route)),
  );
  const keys = new Set(
    all.flatMap(({ methods }) =>
      methods.map((method) => typeof method === "object" && "key" in method && method.key),
    ),
  );
  expect(all.map(({ tried }) => tried)).toEqual([[file("one")], [file("one")], [file("one")]]);
  expect(keys.size).toBe(1);
});

test("a key file that was not there is looked for again", async () => {
  const keyring = new Keyring();
  const [route] = await routes(file("later"));
  if (route === undefined) throw new Error("there are three");
  await expect(keyring.credentials(route)).rejects.toMatchObject({ code: "PB_KEY_UNREADABLE" });
  makeKey("later");
  expect((await keyring.credentials(route)).tried).toEqual([file("later")]);
});
