import { existsSync } from "node:fs";
import { chmod, mkdir, readdir, readFile, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { type EntryKey, obtainEntry } from "#lab/artifacts/cache.ts";
import { labArtifacts } from "#lab/artifacts/catalog/all.ts";
import { rememberDuration } from "#lab/artifacts/durations.ts";
import { withLock } from "#lab/artifacts/lock.ts";
import { linkMirror } from "#lab/artifacts/mirror-tree.ts";
import { baseHash, baseLock, usedMark } from "#lab/base/base.ts";
import { labCommand } from "#lab/cli.ts";
import { addPrune } from "#lab/prune/cli.ts";
import { findPrunables } from "#lab/prune/prune.ts";
import { takeLock } from "#lab/state/lock.ts";
import { labPaths } from "#lab/state/paths.ts";
import { type LabState, writeState } from "#lab/state/state.ts";
import { labVersions } from "#lab/versions.ts";
import { scratchFolder } from "../../support/scratch.ts";

const arch = "amd64";
const DAY = 86_400_000;
const ago = (days: number) => new Date(Date.now() - days * DAY);

/** A cache and labs of the test's own. */
async function world() {
  const scratch = await scratchFolder();
  const cache = join(scratch.dir, "cache/run-playbook");
  const env = {
    XDG_CACHE_HOME: join(scratch.dir, "cache"),
    XDG_STATE_HOME: join(scratch.dir, "state"),
  };
  const place = { home: cache, signal: new AbortController().signal };
  return {
    [Symbol.asyncDispose]: () => scratch[Symbol.asyncDispose](),
    cache,
    env,
    file: (path: string) => join(cache, path),
    write: (files: Record<string, string>) =>
      scratch.write(
        Object.fromEntries(
          Object.entries(files).map(([path, text]) => [`cache/run-playbook/${path}`, text]),
        ),
      ),
    /** An entry with these files, last used so many days ago; in the mirror, too. */
    async entry(
      key: EntryKey,
      { days = 0, files = { [`host/${key.name}`]: "x".repeat(9000) } } = {},
    ) {
      const entry = await obtainEntry(place, key, async (dir) => {
        for (const [path, text] of Object.entries(files)) {
          await mkdir(dirname(join(dir, path)), { recursive: true });
          await writeFile(join(dir, path), text);
        }
        return "a test";
      });
      await linkMirror(join(cache, "mirror"), [entry]);
      await utimes(join(entry.dir, "entry.json"), ago(days), ago(days));
      return entry;
    },
    /** A lab whose hosts stand on that base, made so many days ago. */
    async lab(name: string, { days = 0, base = "/nowhere" } = {}) {
      const paths = labPaths(name, env);
      const state: LabState = {
        version: 1,
        name,
        dualStack: false,
        disk: "1G",
        base,
        hosts: {},
        services: {},
      };
      await writeState(paths.state, state);
      await writeFile(paths.identity, "");
      await utimes(paths.identity, ago(days), ago(days));
    },
    look: () => findPrunables({ env, arch }),
  };
}

type World = Awaited<ReturnType<typeof world>>;

const reasons = async ({ look }: World) =>
  Object.fromEntries((await look()).items.map(({ what, why }) => [what, why]));

const kubeadm = { name: "kubeadm", version: labVersions.kubernetes, arch };
const older = { name: "kubeadm", version: "v1.30.0", arch };

test("everything that the catalogue names is kept, the modules that it is built in, too", async () => {
  await using here = await world();
  for (const { name, version } of Object.values(labArtifacts(labVersions, arch)))
    await here.entry({ name, version, arch });
  for (const name of ["kubernetes-module", "image-names"])
    await here.entry(
      { name, version: labVersions.kubernetes, arch },
      { files: { "names.json": '["a/b:1"]' } },
    );
  await here.entry({ name: "etcd-module", version: labVersions.etcd, arch });
  await here.entry({ name: "registry-program", version: labVersions.registry, arch });
  expect(await here.look()).toEqual({ items: [], labs: [] });
});

test("another version goes, with its links in the mirror; what is named is untouched", async () => {
  await using here = await world();
  const kept = await here.entry(kubeadm, { files: { "dl/kubeadm": "new" } });
  const gone = await here.entry(older, { files: { "dl/old/kubeadm": "x".repeat(50_000) } });
  const last = await here.entry({ name: "calico", version: "v3", arch });
  await rememberDuration({ home: here.cache, name: "calico", ms: 5 });

  const { items } = await here.look();
  expect(items.map(({ what, why }) => `${what}: ${why}`).sort()).toEqual([
    "calico v3: not in this version's catalogue",
    "kubeadm v1.30.0: not in this version's catalogue",
  ]);
  expect(items.find(({ what }) => what.startsWith("kubeadm"))?.bytes).toBeGreaterThan(50_000);
  for (const item of items) expect(await item.remove()).toBe(true);

  expect([gone.dir, last.dir, here.file("artifacts/calico")].filter(existsSync)).toEqual([]);
  expect(await readdir(here.file("mirror/dl"))).toEqual(["kubeadm"]);
  expect(await readdir(here.file("artifacts/kubeadm"))).toEqual([labVersions.kubernetes]);
  expect(await readFile(join(kept.dir, "dl/kubeadm"), "utf8")).toBe("new");
  expect((await here.look()).items).toEqual([]);
});

test("what is named goes once it was unused for 30 days; a use counts from its day", async () => {
  await using here = await world();
  await here.entry(kubeadm, { days: 29 });
  expect(await reasons(here)).toEqual({});
  await here.entry(kubeadm, { days: 31 });
  const since = ago(31).toISOString().slice(0, 10);
  expect(await reasons(here)).toEqual({
    [`kubeadm ${kubeadm.version}`]: `unused since ${since}`,
  });
  await obtainEntry({ home: here.cache, signal: new AbortController().signal }, kubeadm, () => {
    throw new Error("it is in the cache");
  });
  expect(await reasons(here)).toEqual({});
});

test("while a build holds an entry's lock, the entry and its draft stay", async () => {
  await using here = await world();
  const { dir } = await here.entry(older);
  await here.write({ [`artifacts/kubeadm/v1.30.0/${arch}.partial-1234/half`]: "x" });
  const { items } = await here.look();
  expect(items.map(({ why }) => why).sort()).toEqual([
    "left by a build that was killed",
    "not in this version's catalogue",
  ]);
  await withLock({ name: dir, signal: new AbortController().signal }, async () => {
    for (const item of items) expect(await item.remove()).toBe(false);
  });
  expect(await readdir(dirname(dir))).toHaveLength(2);
  for (const item of items) expect(await item.remove()).toBe(true);
  expect(existsSync(here.file("artifacts/kubeadm"))).toBe(false);
});

test("what is used between the look and the removal stays", async () => {
  await using here = await world();
  const { dir } = await here.entry(older, { days: 1 });
  const [item] = (await here.look()).items;
  await here.entry(older);
  expect(await item?.remove()).toBe(false);
  expect(existsSync(join(dir, "entry.json"))).toBe(true);
});

test("what a lab that is there may use is kept, and the lab is named", async () => {
  await using here = await world();
  await here.entry(older, { days: 2 });
  await here.entry({ ...older, version: "v1.29.0" }, { days: 5 });
  await here.lab("dev", { days: 3 });
  expect(await reasons(here)).toEqual({ "kubeadm v1.29.0": "not in this version's catalogue" });
  expect((await here.look()).labs).toEqual(["dev"]);
});

test("a lab whose state cannot be read may need anything: nothing is judged", async () => {
  await using here = await world();
  await here.lab("dev");
  await writeFile(labPaths("dev", here.env).state, "{");
  await expect(here.look()).rejects.toMatchObject({ code: "PB_LAB_STATE" });
});

test("a Debian root goes when another recipe made it or nobody asked for it, never while a lab stands on it or one is built", async () => {
  await using here = await world();
  const root = (name: string) => here.file(`base/${name}`);
  for (const name of ["0123456789abcdef", "fedcba9876543210", baseHash(), "aaaa.draft"])
    await here.write({ [`base/${name}/etc/os-release`]: "x" });
  await writeFile(usedMark(root(baseHash())), "");
  await here.lab("dev", { base: root("fedcba9876543210") });
  expect(await reasons(here)).toEqual({
    "Debian root 0123456789abcdef": "made by another version's recipe",
    "Debian root aaaa.draft": "left by a build that was killed",
  });
  const { items } = await here.look();
  {
    await using _building = await takeLock(baseLock(here.file("base")), "the base");
    for (const item of items) expect(await item.remove()).toBe(false);
  }
  for (const item of items) expect(await item.remove()).toBe(true);
  await utimes(usedMark(root(baseHash())), ago(40), ago(40));
  const [last] = (await here.look()).items;
  expect(last?.why).toMatch(/^unused since /);
  expect(await last?.remove()).toBe(true);
  expect((await readdir(here.file("base"))).sort()).toEqual(["base.lock", "fedcba9876543210"]);
});

test("packages that no host asked for lately go, with their descriptions, and old logs", async () => {
  await using here = await world();
  await here.write({
    "apt/aa": "x".repeat(9000),
    "apt/aa.json": "{}",
    "apt/bb": "young",
    "apt/bb.json": "{}",
    "apt/draft-1": "half",
    "logs/kubelet-v1.30.0.log": "old",
    "logs/kubelet.log": "young",
  });
  const old = ["apt/aa", "apt/aa.json", "apt/bb", "apt/draft-1", "logs/kubelet-v1.30.0.log"];
  for (const path of old) await utimes(here.file(path), ago(31), ago(31));
  const { items } = await here.look();
  expect(items.map(({ what }) => what)).toEqual(["2 Debian packages", "1 logs"]);
  expect(items[0]?.bytes).toBeGreaterThan(9000);
  for (const item of items) await item.remove();
  expect((await readdir(here.file("apt"))).sort()).toEqual(["bb", "bb.json"]);
  expect(await readdir(here.file("logs"))).toEqual(["kubelet.log"]);
});

const digest = (letter: string) => letter.repeat(64);
/** An image of these blobs, the first one its manifest. */
const image = (letters: string) => ({
  "index.json": JSON.stringify({
    manifests: [{ mediaType: "m", digest: `sha256:${digest(letters[0] ?? "")}`, size: 1 }],
  }),
  ...Object.fromEntries([...letters].map((each) => [`blobs/sha256/${digest(each)}`, each])),
});
const storage = "registry/storage/docker/registry/v2";
const tag = (repository: string, name: string) =>
  `${storage}/repositories/${repository}/_manifests/tags/${name}/current/link`;

async function worldWithImages() {
  const here = await world();
  const names = JSON.stringify(["registry.k8s.io/coredns/coredns:v1.14.2"]);
  const key = { name: "image-names", version: labVersions.kubernetes, arch };
  await here.entry(key, { files: { "names.json": names } });
  const coredns = (version: string) => ({ name: "image-coredns", version, arch });
  await here.entry(coredns("v1.14.2-0123456789ab"), { days: 3, files: image("ax") });
  await here.entry(coredns("v1.14.2-ba9876543210"), { days: 1, files: image("bx") });
  await here.entry(coredns("v1.13.0-0123456789ab"), { days: 1, files: image("cyx") });
  await here.write({
    [tag("coredns/coredns", "v1.14.2")]: `sha256:${digest("b")}`,
    [tag("coredns/coredns", "v1.13.0")]: `sha256:${digest("c")}`,
    [tag("mine", "v1")]: `sha256:${digest("f")}`,
    ...Object.fromEntries(
      [..."abcxyf"].map((each) => [
        `${storage}/blobs/sha256/${each}${each}/${digest(each)}/data`,
        each.repeat(8192),
      ]),
    ),
    "registry/config.yml": "",
    "registry/registry": `#!/bin/sh\necho "$@" "$REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY" >"$(dirname "$0")/asked"\n`,
  });
  await chmod(here.file("registry/registry"), 0o755);
  return here;
}

test("an image of another tag or of other programs goes, and out of the registry by its own collector", async () => {
  await using here = await worldWithImages();
  const { items } = await here.look();
  expect(items.map(({ what, why }) => `${what}: ${why}`)).toEqual([
    "images in the registry: as the images themselves",
    "image-coredns v1.13.0-0123456789ab: not in this version's catalogue",
    "image-coredns v1.14.2-0123456789ab: made anew since",
  ]);
  // a, c and y: x is of the image that stays, too.
  expect(items[0]?.bytes).toBe(3 * 8192);
  for (const item of items) expect(await item.remove()).toBe(true);
  expect(existsSync(here.file(tag("coredns/coredns", "v1.13.0")))).toBe(false);
  expect(existsSync(here.file(tag("coredns/coredns", "v1.14.2")))).toBe(true);
  expect(existsSync(here.file(tag("mine", "v1")))).toBe(true);
  expect(await readFile(here.file("registry/asked"), "utf8")).toBe(
    `garbage-collect --delete-untagged --quiet ${here.file("registry/config.yml")} ${here.file("registry/storage")}\n`,
  );
});

test("no image goes while there is a lab, and none from a registry that a lab has meanwhile", async () => {
  await using here = await worldWithImages();
  const [registry] = (await here.look()).items;
  await here.lab("dev");
  expect((await here.look()).items).toEqual([]);
  expect(await registry?.remove()).toBe(false);
  expect(existsSync(here.file("registry/asked"))).toBe(false);
});

test("as long as it was never asked which images there are, each may be one", async () => {
  await using here = await world();
  await here.entry({ name: "image-pause", version: "3.10-0123456789ab", arch });
  await here.entry({ name: "image-names", version: "v1.30.0", arch });
  expect(await reasons(here)).toEqual({
    "image-names v1.30.0": "not in this version's catalogue",
  });
});

/** What `lab prune` prints. */
async function printed(here: World, ...args: string[]): Promise<string> {
  let text = "";
  const io = { write: (more: string) => (text += more) };
  const command = labCommand({ stdout: io, stderr: io, exit: () => undefined });
  // The command's own looks at this user's cache.
  const own = command.commands.findIndex((each) => each.name() === "prune");
  (command.commands as unknown[]).splice(own, 1);
  addPrune(command, { stdout: io, stderr: io, exit: () => undefined }, here.look);
  await command.parseAsync(["prune", ...args], { from: "user" });
  return text;
}

test("`lab prune` says what would go and how much, and removes it with --yes only", async () => {
  await using here = await world();
  expect(await printed(here)).toBe("Nothing in the cache can go.\n");
  const { dir } = await here.entry(older, { files: { program: "x".repeat(4_000_000) } });
  const listing =
    /^kubeadm v1\.30\.0 +4\.\d MB {2}not in this version's catalogue\nIn all +4\.\d MB\n/;
  const said = await printed(here);
  expect(said).toMatch(listing);
  expect(said).toMatch(/Nothing was removed: --yes does it\.\n$/);
  expect(existsSync(dir)).toBe(true);

  await withLock({ name: dir, signal: new AbortController().signal }, async () => {
    const held = await printed(here, "--yes");
    expect(held).toMatch(/kubeadm v1\.30\.0 is in use and stays\.\nRemoved 0\.0 MB\.\n$/);
  });
  const done = await printed(here, "--yes");
  expect(done).toMatch(listing);
  expect(done).toMatch(/Removed 4\.\d MB\.\n$/);
  expect(existsSync(dir)).toBe(false);
});
