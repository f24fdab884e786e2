import { join } from "node:path";
import { expect, test } from "vitest";
import { checksumFor, renderSums, sha256File, verifyFile } from "#lab/artifacts/checksum.ts";
import { scratchFolder } from "../../../support/scratch.ts";

const A = "a".repeat(64);
const B = "b".repeat(64);

test.each([
  ["a bare checksum", A],
  ["a bare checksum with a newline", `${A}\n`],
  ["a list", `${B}  other.tgz\n${A}  file.tgz\n`],
  ["a list with paths", `${B}  ./dist/other.tgz\n${A}  ./dist/file.tgz\n`],
  ["binary marks", `${A} *file.tgz\n`],
  [
    "a signed list",
    `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n${B}  x\n${A}  file.tgz\n-----BEGIN PGP SIGNATURE-----\nabc\n`,
  ],
])("finds the checksum in %s", (_, text) => {
  expect(checksumFor("file.tgz", text)).toBe(A);
});

test("a list that does not name the file gives nothing", () => {
  expect(checksumFor("file.tgz", `${A}  file.tgz.sig\n<html>${B}</html>\n`)).toBeUndefined();
});

test("what it renders, it reads", () => {
  const text = renderSums([
    { path: "bin/x", sha256: B },
    { path: "bin/file", sha256: A },
  ]);
  expect(checksumFor("file", text)).toBe(A);
});

test("a file that is not the promised one is refused with both checksums", async () => {
  await using scratch = await scratchFolder();
  await scratch.write({ kubeadm: "tampered" });
  const path = join(scratch.dir, "kubeadm");
  await expect(verifyFile(path, "mirror's kubeadm", A)).rejects.toMatchObject({
    code: "PB_ARTIFACT_CHECKSUM",
    message: expect.stringContaining(A),
  });
  await expect(verifyFile(path, "kubeadm", await sha256File(path))).resolves.toBeUndefined();
});
