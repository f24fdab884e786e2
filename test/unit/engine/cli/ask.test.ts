import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { askSecret, confirm } from "#engine/cli/ask.ts";

function terminal(answer?: string) {
  const stdin = Object.assign(new PassThrough(), { isTTY: answer !== undefined });
  const stderr = Object.assign(new PassThrough(), { isTTY: answer !== undefined });
  let shown = "";
  stderr.on("data", (chunk) => (shown += String(chunk)));
  if (answer !== undefined) stdin.write(answer);
  return { io: { stdin, stderr }, shown: () => shown };
}

test.each(["y\n", "yes\n", "Y\n", " yes \n"])("%j is a yes", async (answer) => {
  await expect(confirm("Wipe?", terminal(answer).io, false)).resolves.toBeUndefined();
});

test.each(["\n", "n\n", "yo\n", "\x04"])("%j is none", async (answer) => {
  await expect(confirm("Wipe?", terminal(answer).io, false)).rejects.toMatchObject({
    code: "PB_DECLINED",
  });
});

test("--yes answers, and where nobody can answer it has to", async () => {
  await expect(confirm("Wipe?", terminal().io, true)).resolves.toBeUndefined();
  await expect(confirm("Wipe?", terminal().io, false)).rejects.toMatchObject({
    code: "PB_CONFIRM_NEEDED",
  });
});

test("Ctrl-C at a question ends the run as interrupted", async () => {
  await expect(confirm("Wipe?", terminal("\x03").io, false)).rejects.toMatchObject({
    name: "Interrupted",
  });
});

test("a secret does not show while it is typed", async () => {
  const { io, shown } = terminal("hunter2\n");
  expect(await askSecret("sudo password:", io)).toBe("hunter2");
  expect(shown()).toBe("sudo password: \n");
});

test("a secret without a terminal has no answer", async () => {
  expect(await askSecret("sudo password:", terminal().io)).toBeUndefined();
});
