import { describe, expect, it } from "vitest";
import { PlaybookError } from "#engine/errors/error.ts";
import { sh } from "#engine/host/command.ts";
import type { Connection, Target, Transport } from "#engine/host/connection.ts";
import { FakeHost } from "#engine/host/fake/host.ts";
import { FakeConnection } from "#engine/host/fake/transport.ts";
import { ConnectionPool } from "#engine/host/pool.ts";

/** Fake hosts that note who connected where, and refuse as often as they are told. */
class Counted implements Transport {
  readonly host = new FakeHost();
  readonly targets: Target[] = [];
  readonly connections: FakeConnection[] = [];
  refusals = 0;
  error: Error = new PlaybookError("PB_CONNECT_REFUSED", ["[2001:db8::1]:22"]);

  async connect(target: Target): Promise<Connection> {
    this.targets.push(target);
    if (this.refusals-- > 0) throw this.error;
    const connection = new FakeConnection(this.host, target);
    this.connections.push(connection);
    return connection;
  }
}

const target: Target = { name: "cp1", address: "2001:db8::1" };

describe("the pool", () => {
  it("makes one connection for all who ask, when the first does", async () => {
    const transport = new Counted();
    const pool = new ConnectionPool(transport);
    expect(transport.targets).toHaveLength(0);
    const [a, b] = await Promise.all([pool.get(target), pool.get(target)]);
    expect(a).toBe(b);
    expect(transport.targets).toHaveLength(1);
    await pool.close();
  });

  it("tries anew after a failure, and after a loss", async () => {
    const transport = new Counted();
    const pool = new ConnectionPool(transport);
    transport.refusals = 1;
    await expect(pool.get(target)).rejects.toMatchObject({ code: "PB_CONNECT_REFUSED" });
    await pool.get(target);
    transport.connections[0]?.lose();
    await transport.connections[0]?.lost;
    expect((await (await pool.get(target)).run(sh`echo in`)).stdout).toBe("in\n");
    await pool.close();
  });

  it("reconnects at a new address until the host answers there, under its old name", async () => {
    const transport = new Counted();
    const pool = new ConnectionPool(transport);
    const old = await pool.get(target);
    transport.refusals = 2;
    const again = pool.reconnect(target, { address: "2001:db8::2", deadlineMs: 10_000 });
    const waiting = pool.get(target);
    expect(await again).toBe(await waiting);
    await expect(old.run(sh`true`)).rejects.toMatchObject({ code: "PB_CONNECTION_LOST" });
    expect(transport.targets.map(({ address, at }) => at ?? address)).toEqual([
      "2001:db8::1",
      "2001:db8::2",
      "2001:db8::2",
      "2001:db8::2",
    ]);
    expect(transport.targets.at(-1)).toEqual({ ...target, at: "2001:db8::2" });
    await pool.close();
  });

  it("gives up at the deadline, with the last reason", async () => {
    const transport = new Counted();
    const pool = new ConnectionPool(transport);
    transport.refusals = 1_000;
    const began = Date.now();
    const call = pool.reconnect(target, { deadlineMs: 700 });
    await expect(call).rejects.toMatchObject({ code: "PB_CONNECT_REFUSED" });
    expect(Date.now() - began).toBeLessThan(3_000);
    await pool.close();
  });

  it("does not try again what will not mend itself", async () => {
    const transport = new Counted();
    const pool = new ConnectionPool(transport);
    transport.refusals = 1_000;
    transport.error = new PlaybookError("PB_HOST_KEY_CHANGED", [
      "cp1",
      "ssh-ed25519 SHA256:x",
      "known_hosts:1",
    ]);
    const call = pool.reconnect(target, { deadlineMs: 60_000 });
    await expect(call).rejects.toMatchObject({ code: "PB_HOST_KEY_CHANGED" });
    expect(transport.targets).toHaveLength(1);
    await pool.close();
  });

  it("connects to no more than 64 hosts at a time", async () => {
    let open = 0;
    let most = 0;
    const transport: Transport = {
      async connect(each) {
        open++;
        most = Math.max(most, open);
        await new Promise((resolve) => setImmediate(resolve));
        open--;
        return new FakeConnection(new FakeHost(), each);
      },
    };
    const pool = new ConnectionPool(transport);
    const names = Array.from({ length: 100 }, (_, index) => `h${index}`);
    await Promise.all(names.map((name) => pool.get({ name, address: name })));
    expect(most).toBe(64);
    await pool.close();
  });

  it("closes what it made, and makes nothing after", async () => {
    const transport = new Counted();
    const pool = new ConnectionPool(transport);
    const host = await pool.get(target);
    await pool.close();
    await expect(host.run(sh`true`)).rejects.toMatchObject({ code: "PB_CONNECTION_LOST" });
    await expect(pool.get(target)).rejects.toMatchObject({ code: "PB_CONNECTION_LOST" });
  });
});
