/** A path has one spelling, so that what is compared as text is compared by its meaning; each module is walked. */
import { afterAll, describe, expect, test } from "vitest";
import * as modules from "#modules/index.ts";
import { caseFiles, loadCase, moduleFolders } from "../../support/case-file.ts";
import { specsOf } from "../../support/cases.ts";
import { leavesOf } from "../../support/schema-leaves.ts";

const specs = [...specsOf(modules).values()];
const cases = moduleFolders().flatMap((folder) =>
  caseFiles(folder).map((file) => loadCase(folder, file)),
);

/** Paths that some param of ours takes. */
const PATHS = [
  "/srv/a",
  "/etc/netplan/90-a.yaml",
  "/etc/sysctl.d/90-a.conf",
  "/etc/modules-load.d/a.conf",
  "unix:///run/a.sock",
];

const spelledOtherwise = (path: string): string[] => [
  `${path}/`,
  `${path}/.`,
  `${path}/..`,
  `/.${path}`,
  `/..${path}`,
  `/${path}`,
  path.replace(/\/(?=[^/]*$)/, "//"),
  path.replace(/\/(?=[^/]*$)/, "/./"),
  path.replace(/\/(?=[^/]*$)/, "/x/../"),
];

/** Every place in params that takes a path of the host and no other text, with one that it takes. */
const places = specs.flatMap((spec) => {
  const own = cases.filter(({ module }) => module === spec.name);
  return leavesOf(spec.params).flatMap((leaf) => {
    const takes = (text: string) =>
      own.find(({ params }) => spec.params.safeParse(leaf.put(params, text)).success);
    const path = PATHS.find((text) => takes(text) !== undefined);
    if (path === undefined || ["a", "a b"].some((text) => takes(text) !== undefined)) return [];
    return [{ at: `${spec.name} ${leaf.path}`, path, takes }];
  });
});

let refused = 0;

describe("a path that is spelled otherwise is refused", () => {
  test.each(places)("$at", ({ path, takes }) => {
    for (const spelling of spelledOtherwise(path)) {
      expect(takes(spelling)?.params, spelling).toBeUndefined();
      refused += 1;
    }
  });

  test("in these params", () => {
    expect(places.map(({ at }) => at)).toEqual(
      expect.arrayContaining([
        "command creates",
        "command cwd",
        "directory path",
        "etcd-snapshot dir",
        "file path",
        "hosts-file path",
        "http-ok caFile",
        "netplan file",
        "remote-file path",
        "runc path",
        "service restartAfter[]",
        "sysctl file",
        "template path",
      ]),
    );
  });

  afterAll(() => {
    process.stdout.write(`paths: ${places.length} params, ${refused} other spellings refused\n`);
  });
});
