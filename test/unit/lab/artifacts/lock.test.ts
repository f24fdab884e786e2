import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import { withLock } from "#lab/artifacts/lock.ts";

const { signal } = new AbortController();
let count = 0;
const freshName = () => `lock test ${process.pid} ${count++}`;

test("only one at a time works under a name, and all get their turn", async () => {
  const name = freshName();
  let inside = 0;
  const most: number[] = [];
  const work = async () => {
    most.push(++inside);
    await new Promise(setImmediate);
    inside -= 1;
  };
  await Promise.all(Array.from({ length: 5 }, () => withLock({ name, signal }, work)));
  expect(most).toEqual([1, 1, 1, 1, 1]);
});

test("other names do not wait", async () => {
  const [one, other] = [freshName(), freshName()];
  await withLock({ name: one, signal }, () => withLock({ name: other, signal }, async () => {}));
});

const holderProcess = async (name: string) => {
  const module = new URL("../../../../lab/artifacts/lock.ts", import.meta.url).href;
  const code = `const { withLock } = await import(${JSON.stringify(module)});
    const { signal } = new AbortController();
    await withLock({ name: ${JSON.stringify(name)}, signal }, () => {
      process.stdout.write("held");
      return new Promise(() => setInterval(() => {}, 1000));
    });`;
  const args = ["--conditions=@run-playbook/source", "--input-type=module", "-e", code];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child.stdout, "data");
  return child;
};

test("a holder that was killed holds no more", async () => {
  const name = freshName();
  const child = await holderProcess(name);
  const waiting = withLock({ name, signal }, async () => "mine");
  child.kill("SIGKILL");
  await expect(waiting).resolves.toBe("mine");
});

test("a holder that takes too long is named", async () => {
  const name = freshName();
  const child = await holderProcess(name);
  await expect(
    withLock({ name, signal, patienceMs: 100 }, async () => "mine"),
  ).rejects.toMatchObject({
    code: "PB_ARTIFACT_LOCKED",
    message: expect.stringContaining(String(child.pid)),
  });
});

test("who waits can be interrupted", async () => {
  const name = freshName();
  const interrupt = new AbortController();
  await withLock({ name, signal }, async () => {
    const waiting = withLock({ name, signal: interrupt.signal }, async () => {});
    interrupt.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
  });
});
