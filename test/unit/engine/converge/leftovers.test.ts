import { expect, test } from "vitest";
import { settleLeftovers } from "#engine/converge/leftovers.ts";
import { FakeHost } from "#engine/host/fake/host.ts";
import { fakeTransport } from "#engine/host/fake/transport.ts";

const AT_WORK = { code: 7, stdout: "sh -c kubeadm init \n" };

/** Settles a host that answers so; gives how long it was asked to wait each time, in s. */
async function settled(...answers: (typeof AT_WORK | undefined)[]): Promise<number[]> {
  const waits: number[] = [];
  const host = new FakeHost().script(/^# leftovers\n/, ({ args: [seconds] }) => {
    waits.push(Number(seconds));
    return answers.shift();
  });
  const connection = await fakeTransport({ web: host }).connect({ name: "web", address: "web" });
  await settleLeftovers(connection, "web");
  return waits;
}

test("a host with nothing left at work is asked once, and not waited for", async () => {
  expect(await settled(undefined)).toEqual([0]);
});

test("what is at work is waited for, and named where it does not end", async () => {
  expect(await settled(AT_WORK, undefined)).toEqual([0, 240]);
  await expect(settled(AT_WORK, AT_WORK)).rejects.toMatchObject({
    code: "PB_LEFTOVER_BUSY",
    message: expect.stringContaining("on web after 240 s: sh -c kubeadm init."),
  });
});

test("a host on which that cannot be told is read all the same", async () => {
  const connection = await fakeTransport({ web: new FakeHost() }).connect({
    name: "web",
    address: "web",
  });
  await expect(settleLeftovers(connection, "web")).resolves.toBeUndefined();
});
