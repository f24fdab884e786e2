import { createReadStream, createWriteStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { expect, test } from "vitest";
import { type Member, packed, repacked, unpackMember, writeTgz } from "#lab/artifacts/archive.ts";
import { sha256File } from "#lab/artifacts/checksum.ts";
import { scratchFolder } from "../../../support/scratch.ts";

const members = (dir: string): Member[] => [
  { name: "./bridge", mode: 0o755, file: join(dir, "bridge") },
  { name: "./a", mode: 0o644, content: "text\n" },
  { name: "./tmp/", mode: 0o1777, directory: true },
  { name: "./link", linkTo: "bridge" },
];

test("the same members give the same bytes, in whatever order they come", async () => {
  await using scratch = await scratchFolder();
  await scratch.write({ bridge: "program" });
  const [one, two] = [join(scratch.dir, "1.tgz"), join(scratch.dir, "2.tgz")];
  await writeTgz(one, members(scratch.dir));
  await writeTgz(two, members(scratch.dir).reverse());
  expect(await sha256File(two)).toBe(await sha256File(one));
});

test("a member comes out as it went in, and can be run", async () => {
  await using scratch = await scratchFolder();
  await scratch.write({ bridge: "program" });
  const archive = join(scratch.dir, "x.tgz");
  await writeTgz(archive, members(scratch.dir));
  const to = join(scratch.dir, "out", "bridge");
  expect(await unpackMember(archive, "bridge", to)).toBe(true);
  expect(await readFile(to, "utf8")).toBe("program");
  expect(await unpackMember(archive, "absent", join(scratch.dir, "absent"))).toBe(false);
});

test("a member that cannot be read fails the archive", async () => {
  await using scratch = await scratchFolder();
  await expect(writeTgz(join(scratch.dir, "x.tgz"), members(scratch.dir))).rejects.toThrow(
    "ENOENT",
  );
});

test("repacking leaves out what is not kept, and keeps the rest in order", async () => {
  await using scratch = await scratchFolder();
  await scratch.write({ bridge: "program" });
  const [tar, less] = [join(scratch.dir, "all.tar"), join(scratch.dir, "less.tar")];
  await pipeline(packed(members(scratch.dir)), createWriteStream(tar));
  const kept: string[] = [];
  const keep = ({ name }: { name: string }) => name !== "./a" && kept.push(name) > 0;
  await pipeline(repacked(createReadStream(tar), keep), createWriteStream(less));
  expect(kept).toEqual(["./bridge", "./link", "./tmp/"]);
  const names: string[] = [];
  const seen = repacked(createReadStream(less), ({ name }) => names.push(name) > 0);
  await pipeline(seen, createWriteStream(join(scratch.dir, "again.tar")));
  expect(names).toEqual(kept);
  expect(await sha256File(join(scratch.dir, "again.tar"))).toBe(await sha256File(less));
});
