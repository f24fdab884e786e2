import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { MOVE } from "#engine/host/shell/move.ts";
import { scratchFolder } from "../../../../support/scratch.ts";

interface Moved {
  readonly code: string;
  readonly said: string;
  /** What the path holds then, as seen through the mount. */
  readonly held: string;
}

/** Moves $1/beside to $1/path, which is a mount of $1/source, in a mount namespace of its own. */
function moveOverMount(dir: string, { options = "bind", broken = "" } = {}): Moved {
  const text = `${MOVE}
cd "$1" || exit 1
umask 077
mount --bind source path || exit 1
[ "$2" = bind ] || mount -o "remount,bind,$2" path || exit 1
${broken}
_pb_move "$1/beside" "$1/path" 2>said; echo "$?" >code
cat path >held`;
  const shell = ["--user", "--map-root-user", "--mount", "sh", "-c", text, "sh", dir, options];
  execFileSync("unshare", shell);
  const [code, said, held] = ["code", "said", "held"].map((name) =>
    readFileSync(join(dir, name), "utf8"),
  );
  return { code: code?.trim() ?? "", said: said ?? "", held: held ?? "" };
}

async function stage() {
  const { dir, ...rest } = await scratchFolder();
  const at = (name: string) => join(dir, name);
  writeFileSync(at("source"), "old and rather longer\n", { mode: 0o644 });
  writeFileSync(at("path"), "below the mount\n");
  writeFileSync(at("beside"), "new\n", { mode: 0o640 });
  return { ...rest, dir, at };
}

test("a file that is a mount point is written in place, complete, with its mode", async () => {
  const { dir, at } = await stage();
  expect(moveOverMount(dir)).toEqual({ code: "0", said: "", held: "new\n" });
  expect(readFileSync(at("source"), "utf8")).toBe("new\n");
  expect(statSync(at("source")).mode & 0o777).toBe(0o640);
  expect(readFileSync(at("path"), "utf8"), "below the mount").toBe("below the mount\n");
  for (const name of ["beside", "beside.was"]) expect(existsSync(at(name)), name).toBe(false);
});

test("a mount that is read-only is an error, and the file is as it was", async () => {
  const { dir, at } = await stage();
  const { code, said, held } = moveOverMount(dir, { options: "ro" });
  expect([code, held]).toEqual(["1", "old and rather longer\n"]);
  expect(said).toMatch(/^.*: Read-only file system\n$/);
  expect(existsSync(at("beside.was"))).toBe(false);
});

test("content that arrives in part only is taken back", async () => {
  const { dir, at } = await stage();
  // The first cat writes a part and fails, as on a full disk.
  const broken = `cat() { if [ "$2" = "$PWD/beside" ]; then printf n; echo "cat: write error: No space left on device" >&2; return 1; fi; command cat "$@"; }`;
  const { code, said, held } = moveOverMount(dir, { broken });
  expect([code, held]).toEqual(["1", "old and rather longer\n"]);
  expect(said).toBe("cat: write error: No space left on device\n");
  expect(existsSync(at("beside.was"))).toBe(false);
});

test("a folder in the place is no file to write into", async () => {
  const { dir, at } = await stage();
  mkdirSync(at("folder/beside"), { recursive: true });
  writeFileSync(at("folder/beside/x"), "");
  const text = `${MOVE}_pb_move "$1/beside" "$1/folder"`;
  expect(() => execFileSync("sh", ["-c", text, "sh", dir], { stdio: "pipe" })).toThrow();
  expect(readFileSync(at("beside"), "utf8")).toBe("new\n");
});
