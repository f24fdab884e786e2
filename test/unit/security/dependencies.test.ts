import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { verdictOn } from "../../../.ci/audit.ts";
import { root } from "../../support/cli.ts";

const Entry = z.looseObject({
  version: z.string(),
  resolved: z.string().optional(),
  integrity: z.string().optional(),
  license: z.string().optional(),
  hasInstallScript: z.boolean().default(false),
  dev: z.boolean().default(false),
  link: z.boolean().default(false),
});
type Entry = z.output<typeof Entry>;

const json = (path: string): unknown => JSON.parse(readFileSync(join(root, path), "utf8"));
const manifest = z
  .looseObject({
    dependencies: z.record(z.string(), z.string()),
    devDependencies: z.record(z.string(), z.string()),
    allowScripts: z.record(z.string(), z.boolean()),
    files: z.array(z.string()),
  })
  .parse(json("package.json"));
const lock = z
  .looseObject({ lockfileVersion: z.literal(3), packages: z.record(z.string(), z.unknown()) })
  .parse(json("package-lock.json"));
const packages = Object.entries(lock.packages)
  .filter(([path]) => path !== "")
  .map(([path, entry]) => ({ path, ...Entry.parse(entry) }));
const nameOf = (path: string) => path.split("node_modules/").at(-1) ?? path;

/** Licences that ask for nothing but their own text; MPL is that file by file, and only for what is not shipped. */
const PERMISSIVE = [
  "MIT",
  "ISC",
  "Apache-2.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "0BSD",
  "Unlicense",
];
const ONLY_HERE = [...PERMISSIVE, "MPL-2.0", "MIT OR Apache-2.0"];

/** What a package's own files say where the lock file has no word; read in the files of the versions that are locked. */
const UNTOLD: Readonly<Record<string, string>> = {
  ssh2: "MIT",
  "cpu-features": "MIT",
  buildcheck: "MIT",
};

describe("every locked package", () => {
  test("comes from the registry, and is held by its hash", () => {
    const wrong = packages.filter(
      ({ resolved = "https://registry.npmjs.org/", integrity = "", link }) =>
        link ||
        !resolved.startsWith("https://registry.npmjs.org/") ||
        !integrity.startsWith("sha512-"),
    );
    expect(wrong.map(({ path }) => path)).toEqual([]);
    expect(packages.length).toBeGreaterThan(100);
  });

  test("runs a script when it is installed only where that was decided", () => {
    const asking = packages.filter(({ hasInstallScript }) => hasInstallScript);
    const undecided = asking.filter(
      ({ path }) => manifest.allowScripts[nameOf(path)] === undefined,
    );
    expect(undecided.map(({ path }) => path)).toEqual([]);
    // The one that may runs nowhere but here: it brings the Node that tests run on.
    const allowed = Object.entries(manifest.allowScripts).filter(([, isAllowed]) => isAllowed);
    expect(allowed.map(([name]) => name)).toEqual(["node"]);
    expect(packages.find(({ path }) => path === "node_modules/node")?.dev).toBe(true);
  });

  test("has a licence that lets this one be used as it is", () => {
    const licenceOf = ({ path, license }: Entry & { path: string }) =>
      license ?? UNTOLD[nameOf(path)] ?? "none";
    const wrong = packages.filter(
      (one) => !(one.dev ? ONLY_HERE : PERMISSIVE).includes(licenceOf(one)),
    );
    expect(wrong.map((one) => `${one.path}: ${licenceOf(one)}`)).toEqual([]);
  });

  test("without a word of its licence in the lock file has the text of it", () => {
    for (const [name, licence] of Object.entries(UNTOLD)) {
      const text = readFileSync(join(root, "node_modules", name, "LICENSE"), "utf8");
      expect(licence).toBe("MIT");
      expect(text).toContain("Permission is hereby granted, free of charge");
    }
  });
});

describe("what npm audit says", () => {
  const report = (vulnerabilities: object) =>
    JSON.stringify({ auditReportVersion: 2, vulnerabilities, metadata: {} });
  const of = (severity: string) => report({ ssh2: { severity, range: "<2.0.0" } });

  test.each([
    ["critical", true],
    ["high", true],
    ["moderate", false],
    ["low", false],
  ])("fails on a finding that is %s: %s", (severity, fails) => {
    expect(verdictOn(of(severity))).toEqual({ fails, lines: [`${severity}: ssh2 <2.0.0`] });
  });

  test("is good news where nothing is known", () => {
    expect(verdictOn(report({}))).toMatchObject({
      fails: false,
      lines: [expect.stringContaining("nothing is known")],
    });
  });

  // As a registry that has no such address answers, one that npm cannot reach, and none.
  test.each([
    '{"message":"405 Method Not Allowed","statusCode":405}',
    '{"error":{"code":"ENOTFOUND","summary":"getaddrinfo ENOTFOUND"}}',
    "",
  ])("fails nothing where the registry gives no report, and says so: %j", (printed) => {
    const { fails, lines } = verdictOn(printed);
    expect(fails).toBe(false);
    expect(lines.join()).toMatch(/^dependencies were NOT audited: /);
  });

  test("is what CI asks, before anything else", () => {
    const run = readFileSync(join(root, ".ci/run"), "utf8");
    expect(run).toMatch(/^npx --no-install node \.ci\/audit\.ts \|\| exit 1$/m);
  });
});

test("what is asked for are versions, no addresses, folders or tags", () => {
  const ranges = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
  const wrong = ranges.filter(([, range]) => !/^[~^]?\d+\.\d+\.\d+$/.test(range));
  expect(wrong).toEqual([]);
});

test("what is shipped is what is named: no tests, keys or caches", () => {
  expect(manifest.files.toSorted()).toEqual(["dist", "inventory/example.ts"]);
});
