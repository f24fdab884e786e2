import { expect, test } from "vitest";
import { script, sh, withStdin } from "#engine/host/command.ts";

test("literal text is split at white space, a value is one argument whatever it holds", () => {
  const value = "a b; rm -rf / $(id) 'x' \"y\"\n";
  expect(sh`printf  %s ${value}`.argv).toEqual(["printf", "%s", value]);
});

test("a value inside a word stays in that word", () => {
  expect(sh`sysctl -w ${"net.ipv6.conf.all.forwarding"}=${1}`.argv).toEqual([
    "sysctl",
    "-w",
    "net.ipv6.conf.all.forwarding=1",
  ]);
});

test("a list that stands alone is as many arguments, and none when empty", () => {
  expect(sh`apt-get install ${["a", "b c"]} -y`.argv).toEqual([
    "apt-get",
    "install",
    "a",
    "b c",
    "-y",
  ]);
  expect(sh`ls ${[]}`.argv).toEqual(["ls"]);
});

test("a list inside a word is refused, since nobody can say what it means", () => {
  expect(() => sh`ls --path=${["a"]}`).toThrow("must stand alone");
  expect(() => sh`ls ${["a"]}.d`).toThrow("must stand alone");
});

test("an empty value is an empty argument", () => {
  expect(sh`printf ${""}`.argv).toEqual(["printf", ""]);
});

test("a script's data comes in as positional arguments, never as code", () => {
  expect(script('echo "$1"', "$(id)").argv).toEqual(["sh", "-c", 'echo "$1"', "sh", "$(id)"]);
});

test("standard input is added without changing the command", () => {
  const cat = sh`cat`;
  expect(withStdin(cat, "x")).toEqual({ argv: ["cat"], stdin: "x" });
  expect(cat.stdin).toBeUndefined();
});
