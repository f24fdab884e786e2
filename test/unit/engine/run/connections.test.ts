import { expect, test } from "vitest";
import { secretFrom } from "#engine/dsl/ref.ts";
import { Secret } from "#engine/dsl/secret.ts";
import type { Target, Transport } from "#engine/host/connection.ts";
import { FakeHost } from "#engine/host/fake/host.ts";
import { fakeTransport } from "#engine/host/fake/transport.ts";
import { secretKey } from "#engine/plan/secrets.ts";
import { Connections } from "#engine/run/connections.ts";

/** Connections to one fake host, and the targets that they were made with. */
function connections(hosts: { w1: FakeHost }) {
  const targets: Target[] = [];
  const fake = fakeTransport(hosts);
  const ssh: Transport = {
    connect: (target, options) => {
      targets.push(target);
      return fake.connect(target, options);
    },
  };
  const sudoPassword = secretFrom.env("SUDO");
  const key = secretKey({ from: "env", name: "SUDO" });
  const made = new Connections({
    inventory: { w1: { address: "alias", user: "admin", sudoPassword, settings: { rack: 1 } } },
    secrets: new Map([[key, new Secret("planted")]]),
    transports: { ssh, local: fake },
  });
  return { made, targets };
}

test("a host is reached as the inventory says, with its secrets read", async () => {
  const { made, targets } = connections({ w1: new FakeHost() });
  const first = await made.to("w1");
  expect(await made.to("w1")).toBe(first);
  expect(targets).toHaveLength(1);
  expect(targets[0]).toMatchObject({ name: "w1", address: "alias", user: "admin" });
  expect(targets[0]?.sudoPassword?.reveal()).toBe("planted");
  expect(targets[0]).not.toHaveProperty("settings");
});

test("a host whose address was changed is found there from then on, until it goes back", async () => {
  const host = new FakeHost();
  const { made, targets } = connections({ w1: host });
  await made.to("w1");
  await made.again("w1", { to: { address: "2001:db8::2" }, timeoutMs: 1000 });
  host.loseAfter = 0;
  const moved = await made.to("w1");
  await expect(moved.stat("/")).rejects.toMatchObject({ code: "PB_CONNECTION_LOST" });
  host.loseAfter = Number.POSITIVE_INFINITY;
  await made.to("w1");
  await made.again("w1", { timeoutMs: 1000 });
  const there = "2001:db8::2";
  expect(targets.map(({ at }) => at)).toEqual([undefined, there, there, there]);
  expect(made.addressOf("w1")).toBe(there);
  await made.again("w1", { to: { address: undefined }, timeoutMs: 1000 });
  await made.again("w1", { timeoutMs: 1000 });
  expect(targets.slice(4).map(({ at }) => at)).toEqual([undefined, undefined]);
});
