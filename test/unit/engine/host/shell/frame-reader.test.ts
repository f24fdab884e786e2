import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Expected, FrameReader } from "#engine/host/shell/frame-reader.ts";

interface Frame extends Expected {
  text: string;
  marks: string[];
}

function reading(...nonces: string[]) {
  const frames = nonces.map(
    (nonce): Frame => ({ needle: Buffer.from(`\x01${nonce}`), text: "", marks: [] }),
  );
  const queue = [...frames];
  const reader = new FrameReader<Frame>({
    head: () => queue[0],
    data: (frame, bytes) => {
      frame.text += bytes.toString("latin1");
    },
    mark: (frame, text) => {
      frame.marks.push(text);
      queue.shift();
    },
  });
  return { frames, reader };
}

const A = "a".repeat(24);
const B = "b".repeat(24);

describe("a stream of frames", () => {
  it("is cut apart wherever the chunks end", () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.string(),
        fc.array(fc.integer({ min: 1, max: 40 })),
        (one, two, sizes) => {
          const { frames, reader } = reading(A, B);
          const stream = Buffer.from(`${one}\x01${A}E 0 0\n${two}\x01${B}E 7 1\n`, "latin1");
          let at = 0;
          for (const size of [...sizes, stream.length]) {
            reader.push(stream.subarray(at, at + size));
            at += size;
          }
          const texts = [one, two].map((text) => Buffer.from(text, "latin1").toString("latin1"));
          expect(frames.map(({ text }) => text)).toEqual(texts);
          expect(frames.map(({ marks }) => marks)).toEqual([["E 0 0"], ["E 7 1"]]);
        },
      ),
    );
  });

  it("takes no other nonce for a mark", () => {
    const { frames, reader } = reading(A);
    reader.push(Buffer.from(`\x01${B}E 0 0\n\x01${A.slice(1)}E 0 0\n`));
    expect(frames[0]?.marks).toEqual([]);
  });

  it("drops and counts what comes while nothing is asked for", () => {
    const { reader } = reading();
    reader.push(Buffer.from("noise"));
    expect(reader.noise).toBe(5);
  });

  it("refuses a mark that does not end, rather than keep it for ever", () => {
    const { reader } = reading(A);
    expect(() => reader.push(Buffer.from(`\x01${A}E ${"0".repeat(200)}`))).toThrow("broken frame");
  });
});
