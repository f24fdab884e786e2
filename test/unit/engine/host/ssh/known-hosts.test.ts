import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  fingerprint,
  hashedName,
  knownName,
  parseKnownHosts,
  speaksOf,
} from "#engine/host/ssh/known-hosts.ts";

const KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIJ8mwzzEBlCRCOLXFwZFnIpEZ9aJhTDMWsmeVGGFCEzL";

const entry = (hosts: string) => {
  const [found] = parseKnownHosts(`${hosts} ssh-ed25519 ${KEY}`, "known_hosts");
  if (!found) throw new Error("no entry");
  return found;
};

describe("known_hosts", () => {
  it("reads entries and markers, and passes over comments and damage", () => {
    const text = [
      "# comment",
      "",
      `cp1,2001:db8::1 ssh-ed25519 ${KEY} a comment`,
      "broken line",
      `@revoked * ssh-ed25519 ${KEY}`,
      `@cert-authority *.example.org ssh-ed25519 ${KEY}`,
      `@unheard-of * ssh-ed25519 ${KEY}`,
    ].join("\n");
    expect(parseKnownHosts(text, "f")).toEqual([
      { hosts: "cp1,2001:db8::1", type: "ssh-ed25519", key: KEY, at: "f:3" },
      { marker: "revoked", hosts: "*", type: "ssh-ed25519", key: KEY, at: "f:5" },
      {
        marker: "cert-authority",
        hosts: "*.example.org",
        type: "ssh-ed25519",
        key: KEY,
        at: "f:6",
      },
    ]);
  });

  it.each([
    ["cp1", "cp1", true],
    ["CP1", "cp1", true],
    ["cp1,2001:db8::1", "2001:db8::1", true],
    ["cp1", "cp10", false],
    ["cp?", "cp1", true],
    ["*.example.org", "cp1.example.org", true],
    ["*.example.org,!cp1.example.org", "cp1.example.org", false],
    ["!cp1.example.org,*.example.org", "cp2.example.org", true],
    ["[::1]:2222", "[::1]:2222", true],
    ["[::1]:2222", "::1", false],
    ["[*]:2222", "[fe80::1%eth0]:2222", true],
    ["2001:db8::*", "2001:db8::7", true],
    ["fe80::1%eth0", "fe80::1%eth0", true],
    ["a.b", "axb", false],
  ])("%s speaks of %s: %s", (hosts, name, expected) => {
    expect(speaksOf(entry(hosts), name)).toBe(expected);
  });

  it("names a host on another port with brackets", () => {
    expect([knownName("::1", 22), knownName("CP1", 22), knownName("::1", 2222)]).toEqual([
      "::1",
      "cp1",
      "[::1]:2222",
    ]);
  });

  it("finds names that ssh-keygen hashed, and writes such that ssh-keygen finds", () => {
    const folder = mkdtempSync(join(tmpdir(), "known-"));
    try {
      const file = join(folder, "known_hosts");
      writeFileSync(file, `[2001:db8::1]:2222 ssh-ed25519 ${KEY}\ncp1 ssh-ed25519 ${KEY}\n`);
      execFileSync("ssh-keygen", ["-q", "-H", "-f", file], { stdio: "ignore" });
      const hashed = parseKnownHosts(readFileSync(file, "utf8"), file);
      expect(hashed.map(({ hosts }) => hosts.slice(0, 3))).toEqual(["|1|", "|1|"]);
      expect(hashed.map((each) => speaksOf(each, "[2001:db8::1]:2222"))).toEqual([true, false]);
      expect(hashed.map((each) => speaksOf(each, "cp1"))).toEqual([false, true]);

      writeFileSync(file, `${hashedName("[::1]:22022")} ssh-ed25519 ${KEY}\n`);
      const found = execFileSync("ssh-keygen", ["-F", "[::1]:22022", "-f", file]).toString();
      expect(found).toContain("found: line 1");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("prints fingerprints as ssh-keygen does", () => {
    const folder = mkdtempSync(join(tmpdir(), "known-"));
    try {
      writeFileSync(join(folder, "key.pub"), `ssh-ed25519 ${KEY}\n`);
      const printed = execFileSync("ssh-keygen", ["-lf", join(folder, "key.pub")]).toString();
      const shown = fingerprint(Buffer.from(KEY, "base64"));
      expect(printed).toContain(shown.replace("ssh-ed25519 ", ""));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
