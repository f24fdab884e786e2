/** What a `match` of netplan means is fnmatch(3)'s to say: findutils asks it for `-name`. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import fc from "fast-check";
import { expect, it } from "vitest";
import { globPattern, matches } from "#modules/netplan/match.ts";
import { scratchFolder } from "../../../support/scratch.ts";

const names = ["eth0", "eth1", "enp3s0", "a", "b", "-", "]", "[", "[a", "a]", "^", "!", "\\", "z9"];
const piece = fc.constantFrom(
  ...[
    "*",
    "?",
    "[a-e]*",
    "[!a-e]*",
    "[^e]*",
    "[]-]",
    "[!]]",
    "[[:digit:]]",
    "[[:alpha:]]*",
    "[a",
    "]",
  ],
  ...["e", "t", "h", "0", "\\*", "\\e", "[e-a]", "[\\]]", "-", "eth", "[0-1]", "[-a]", "[a-]"],
);
const globs = fc.array(piece, { minLength: 1, maxLength: 4 }).map((pieces) => pieces.join(""));

it("a glob means what fnmatch takes it for", async () => {
  await using folder = await scratchFolder();
  for (const name of names) writeFileSync(`${folder.dir}/${name}`, "");
  let compared = 0;
  fc.assert(
    fc.property(globs, (glob) => {
      const found = execFileSync(
        "find",
        [".", "-mindepth", "1", "-name", glob, "-printf", "%f\\n"],
        {
          cwd: folder.dir,
          encoding: "utf8",
          env: { ...process.env, LC_ALL: "C" },
          stdio: ["ignore", "pipe", "ignore"],
        },
      );
      const ours = names.filter((name) => globPattern(glob).test(name));
      expect(ours.sort(), glob).toEqual(found.split("\n").filter(Boolean).sort());
      compared += names.length;
    }),
    { numRuns: 400 },
  );
  process.stdout.write(`netplan match: ${compared} names compared with fnmatch(3)\n`);
});

it.each([
  [["!eth*"], "eth0", false],
  [["!eth*"], "ens3", true],
  [["!virtio", "e1000"], "e1000", false],
  [["virtio*", "e1000"], "virtio_net", true],
] as const)("drivers %j and an interface of %s: %s", (driver, own, fits) => {
  expect(matches({ driver }, "eth0", { mac: "", driver: own })).toBe(fits);
});
