/** What other programs make of what the user module accepts: sshd's own parser of keys, sudo's own of sudoers. */
import { execFileSync, spawnSync } from "node:child_process";
import fc from "fast-check";
import { expect, test } from "vitest";
import { user } from "#modules/index.ts";

const { spec } = user;
const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEE";
const accepts = (params: object) => spec.params.safeParse({ name: "deploy", ...params }).success;

const quoted = fc
  .string({ unit: fc.constantFrom(...'a,!*? []:/=\\"#é'), maxLength: 12 })
  // It would take the quote behind it for one of the text.
  .filter((text) => !text.endsWith("\\"))
  .map((text) => `"${text.replaceAll('"', '\\"')}"`);
const option = fc.oneof(
  fc.constantFrom("no-pty", "restrict", "cert-authority", "No-Agent-Forwarding"),
  fc
    .tuple(fc.constantFrom("from", "command", "environment", "permitopen", "tunnel"), quoted)
    .map((one) => one.join("=")),
);
// A bare value, an open quote, a blank, no name: ssh-keygen looks for the key behind them, and sshd for their meaning.
const noOption = fc.constantFrom('from="a', "permitopen=a b", '="x"', "-x");
const line = fc.record({
  options: fc.array(option, { maxLength: 3 }),
  broken: fc.option(noOption, { freq: 4 }),
  key: fc.constantFrom(KEY, KEY, KEY, KEY, KEY, KEY.slice(0, -9), "ssh-ed25519"),
  comment: fc.constantFrom("", " a", " a b"),
});

test("lines of authorized_keys are taken only where ssh-keygen reads them, and wherever their options are sound", () => {
  const seen = { taken: 0, refused: 0 };
  fc.assert(
    fc.property(line, ({ options, broken, key, comment }) => {
      const all = [...options, ...(broken === null ? [] : [broken])].join(",");
      const text = `${all === "" ? "" : `${all} `}${key}${comment}`;
      const { status, stdout } = spawnSync("ssh-keygen", ["-l", "-f", "-"], {
        input: `${text}\n`,
        encoding: "utf8",
      });
      const reads = status === 0 && stdout.startsWith("256 ");
      const takes = accepts({ authorizedKeys: [text] });
      seen[takes ? "taken" : "refused"] += 1;
      if (takes) expect(reads, text).toBe(true);
      if (broken === null) expect(takes, text).toBe(reads);
    }),
    { numRuns: 300 },
  );
  process.stderr.write(`# authorized_keys against ssh-keygen: ${JSON.stringify(seen)}\n`);
  expect(Math.min(seen.taken, seen.refused)).toBeGreaterThan(5);
});

test("a name that is given sudo is that one user's to sudo, and to no other", () => {
  const name = fc.oneof(
    fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_.-]{0,12}\$?$/),
    fc.constantFrom(
      "ALL",
      "ADMINS",
      "a.b",
      "a_b",
      "root",
      "ALL_",
      "aLL",
      "Defaults",
      "User_Alias",
      "include",
    ),
  );
  const seen = { taken: 0, refused: 0 };
  fc.assert(
    fc.property(name, (one) => {
      if (!accepts({ name: one, sudo: "without-password" })) {
        seen.refused += 1;
        return;
      }
      seen.taken += 1;
      const want = spec.params.parse({ name: one, sudo: "without-password" });
      const [file] = [...spec.diff(nowOf(one), want)].filter((change) => change.op === "write");
      const content = file?.op === "write" ? String(file.content) : "";
      const json = execFileSync("cvtsudoers", ["-f", "json", "-"], {
        input: content,
        encoding: "utf8",
      });
      const { User_Specs: specs, ...rest } = JSON.parse(json) as {
        User_Specs: { User_List: unknown }[];
      };
      expect([specs.map((each) => each.User_List), rest], content).toEqual([
        [[{ username: one }]],
        {},
      ]);
      expect(file?.op === "write" && file.path).toMatch(/^\/etc\/sudoers\.d\/[^.~]+$/);
    }),
    { numRuns: 200 },
  );
  process.stderr.write(`# sudoers against cvtsudoers: ${JSON.stringify(seen)}\n`);
  expect(Math.min(seen.taken, seen.refused)).toBeGreaterThan(5);
});

const nowOf = (name: string) =>
  ({
    uid: 1000,
    passwd: { uid: 1000, comment: "", home: `/home/${name}`, shell: "/bin/bash" },
    groups: [name],
    existing: [name],
    sudoers: { content: undefined, stat: undefined, lacks: [] },
    home: `/home/${name}`,
    homeThere: true,
    keys: undefined,
  }) as never;
