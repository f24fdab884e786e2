import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bytesOfText, textOf } from "#engine/converge/file-text.ts";
import { fromText, toText } from "#engine/converge/kept-text.ts";
import type { Change } from "#engine/index.ts";
import { hostsFile, swap } from "#modules/index.ts";

const RUNS = 2000;

/** Bytes as files have them: text in any encoding, cut anywhere, with any ends of lines. */
const bytes = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 6 }).map((some) => Buffer.from(some)),
      fc.string({ unit: "binary", maxLength: 6 }).map((text) => Buffer.from(text)),
      fc.string({ maxLength: 6 }).map((text) => Buffer.from(text, "latin1")),
      fc
        .constantFrom("\n", "\r\n", "\r", "# caf\xe9\n", "::1 localhost\n", "\u{1f480}", "\ufffd")
        .map((text) => Buffer.from(text, text.charCodeAt(5) === 0xe9 ? "latin1" : "utf8")),
    ),
    { maxLength: 12 },
  )
  .map((parts) => Buffer.concat(parts));

describe("a file as text", () => {
  test("comes back byte for byte, also when it was kept for an undo", () => {
    let odd = 0;
    fc.assert(
      fc.property(bytes, (original) => {
        const text = textOf(original);
        if (!text.isWellFormed()) odd += 1;
        expect(bytesOfText(text).equals(original)).toBe(true);
        const kept = Buffer.from(toText({ text })).toString();
        expect(fromText(kept)).toEqual({ text });
      }),
      { numRuns: RUNS },
    );
    process.stderr.write(`# files as text: ${RUNS}, of which ${odd} are no UTF-8\n`);
    expect(odd).toBeGreaterThan(RUNS / 10);
  });

  test("is what Node says where it is UTF-8", () => {
    const text = fc.string({ unit: "binary" });
    fc.assert(
      fc.property(text, (each) => {
        expect(textOf(Buffer.from(each))).toBe(each);
      }),
    );
  });

  test("of 16 MiB with one odd byte takes no longer than its length allows", () => {
    const long = Buffer.alloc(16 * 1024 * 1024, "é# \n");
    long[7] = 0xe9;
    expect(bytesOfText(textOf(long)).equals(long)).toBe(true);
  });
});

const stat = {
  kind: "file",
  mode: 0o644,
  owner: "root",
  group: "root",
  uid: 0,
  gid: 0,
  size: 0,
} as const;
const found = (content: Buffer) => ({ content: textOf(content), stat, lacks: [] });
const written = (before: Buffer, changes: Iterable<Change>): Buffer => {
  for (const change of changes)
    if (change.op === "write") return bytesOfText(String(change.content));
  return before;
};

describe("a file of others is edited, and every byte of theirs stays", () => {
  const params = { entries: [{ address: "2001:db8::1", names: ["api"] }] };
  const { spec } = hostsFile;
  const want = spec.params.parse(params);
  const block = Buffer.from("# BEGIN run-playbook\n2001:db8::1 api\n# END run-playbook\n");

  test("a Latin-1 comment, CRLF and a missing last newline survive in the hosts file", () => {
    fc.assert(
      fc.property(bytes, (theirs) => {
        const made = written(theirs, spec.diff(found(theirs), want));
        const endsWell = theirs.length === 0 || theirs.at(-1) === 10;
        const between = endsWell ? Buffer.alloc(0) : Buffer.from("\n");
        expect(made).toEqual(Buffer.concat([theirs, between, block]));
        expect([...spec.diff(found(made), want)]).toEqual([]);
        const back = spec.undo?.(found(theirs), found(made), want) ?? [];
        expect(written(made, back)).toEqual(theirs);
      }),
      { numRuns: RUNS },
    );
  });

  test("a block in the middle is renewed, whatever is around it, also where an editor made its lines CRLF", () => {
    const old = fc.constantFrom(
      Buffer.from("# BEGIN run-playbook\n2001:db8::2 old\n# END run-playbook\n"),
      Buffer.from("# BEGIN run-playbook\r\n2001:db8::1 api\r\n# END run-playbook\r\n"),
    );
    fc.assert(
      fc.property(bytes, old, bytes, (above, is, below) => {
        const head = Buffer.concat([above, Buffer.from("\n")]);
        const file = Buffer.concat([head, is, below]);
        const made = written(file, spec.diff(found(file), want));
        expect(made).toEqual(Buffer.concat([head, block, below]));
      }),
    );
  });

  test("nothing is written where no block is to be", () => {
    const absent = spec.params.parse({ state: "absent" });
    fc.assert(
      fc.property(bytes, (theirs) => {
        expect([...spec.diff(found(theirs), absent)]).toEqual([]);
      }),
    );
  });

  test("fstab keeps what is around a line of swap", () => {
    fc.assert(
      fc.property(bytes, bytes, (above, below) => {
        const line = Buffer.from("\n/dev/vdb none swap sw 0 0\n");
        const file = Buffer.concat([above, line, below]);
        const now = { fstab: found(file), live: [], units: [], makers: [] };
        const made = written(file, swap.spec.diff(now, { state: "off" }));
        expect(made.includes(above)).toBe(true);
        const off = Buffer.from(`\n# off (run-playbook): ${line.toString().trimStart()}`);
        expect(made).toEqual(Buffer.concat([above, off, below]));
        expect(
          written(
            made,
            swap.spec.undo?.(now, { ...now, fstab: found(made) }, { state: "off" }) ?? [],
          ),
        ).toEqual(file);
      }),
    );
  });
});
