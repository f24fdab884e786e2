import { Writable } from "node:stream";
import { expect, test } from "vitest";
import { gathered } from "#engine/cli/gathered.ts";

function listening() {
  const pieces: string[] = [];
  const out = new Writable({
    decodeStrings: false,
    writev(chunks, done) {
      pieces.push(chunks.map(({ chunk }) => String(chunk)).join(""));
      done();
    },
  });
  return { out, pieces };
}
const nextTick = () => new Promise((resolve) => setImmediate(resolve));

test("lines of one tick go out in one piece, in order, and those of the next in another", async () => {
  const { out, pieces } = listening();
  const gathering = gathered(out);
  for (const line of ["a\n", "b\n", "c\n"]) gathering.write(line);
  expect(pieces).toEqual([]);
  await nextTick();
  gathering.write("d\n");
  await nextTick();
  expect(pieces).toEqual(["a\nb\nc\n", "d\n"]);
});
