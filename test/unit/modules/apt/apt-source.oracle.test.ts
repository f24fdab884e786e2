/** Sources as the module writes them, as apt reads them: an archive each, and nothing that apt chokes on. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { aptSource } from "#modules/index.ts";
import { asText } from "../../../support/case-host.ts";

let folder = "";
const counts = { taken: 0, refused: 0, archives: 0 };
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "apt-"));
  mkdirSync(join(folder, "lists/partial"), { recursive: true });
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  process.stdout.write(
    `apt sources: ${counts.taken} read by apt as wanted (${counts.archives} archives), ${counts.refused} refused\n`,
  );
});

const anyWord = fc.stringMatching(/^[a-z./+:#-][a-z0-9./+:-]{0,8}$/);
const word = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom("main", "trixie", "stable/updates", "contrib") },
  { weight: 1, arbitrary: fc.oneof(fc.constantFrom("Types:", "any", "deb-src"), anyWord) },
);
const flat = fc.oneof(
  fc.constantFrom("/", "./", "a/b/"),
  word.map((text) => `${text}/`),
);
const params = fc.record(
  {
    uris: fc.uniqueArray(
      fc.constantFrom(
        "http://[2001:db8::1]/debian",
        "https://a.example.net/x",
        "http://b.example.net/~u",
      ),
      { minLength: 1, maxLength: 2 },
    ),
    suites: fc.uniqueArray(fc.oneof({ weight: 3, arbitrary: word }, flat), {
      minLength: 1,
      maxLength: 2,
    }),
    components: fc.uniqueArray(word, { maxLength: 2 }),
    types: fc.constantFrom(["deb"], ["deb", "deb-src"]),
    architectures: fc.constantFrom([], ["amd64"], ["amd64", "arm64"]),
  },
  { requiredKeys: ["uris", "suites"] },
);

const { spec } = aptSource;
interface Archives {
  readonly uris: readonly string[];
  readonly suites: readonly string[];
}

const archivesOf = ({ uris, suites }: Archives): string[] =>
  uris.flatMap((uri) =>
    suites.map((suite) => {
      if (!suite.endsWith("/")) return `${uri}/dists/${suite}/InRelease`;
      const below = suite.replace(/^\/+/, "");
      return `${uri}/${below}InRelease`;
    }),
  );

const missing = { content: undefined, stat: undefined, lacks: [] } as const;

const isThere = spawnSync("apt-get", ["--version"]).status === 0;

describe.skipIf(!isThere)("a source", () => {
  test("that is taken is one that apt reads, with its archives", () => {
    const file = join(folder, "x.sources");
    for (const given of fc.sample(params, { seed: 2026, numRuns: 250 })) {
      const want = spec.params.safeParse({ name: "x", signedBy: "/etc/apt/x.gpg", ...given });
      if (!want.success) {
        counts.refused += 1;
        continue;
      }
      const [change] = spec.diff(
        { source: missing, key: missing, keyring: {} as never, clash: "" },
        want.data,
      );
      const content = change?.op === "write" ? asText(change.content) : "";
      writeFileSync(file, content);
      const { status, stdout, stderr } = spawnSync(
        "apt-get",
        [
          ...["update", "--print-uris"],
          ...["-o", "Dir::Etc::sourcelist=/dev/null", "-o", `Dir::Etc::sourceparts=${folder}`],
          ...["-o", `Dir::State::lists=${folder}/lists`],
        ],
        { encoding: "utf8" },
      );
      expect(`${status} ${stderr}`, content).toBe("0 ");
      const read = decodeURIComponent(stdout)
        .split("\n")
        .filter((line) => line.includes("InRelease'"))
        .map((line) => line.slice(1, line.indexOf("'", 1)));
      expect(read.toSorted(), content).toEqual(
        archivesOf(want.data as unknown as Archives).toSorted(),
      );
      counts.taken += 1;
      counts.archives += read.length;
    }
    expect(counts.taken).toBeGreaterThan(40);
  }, 60_000);
});
