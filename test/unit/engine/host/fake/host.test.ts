import { describe, expect, it } from "vitest";
import { Secret } from "#engine/dsl/secret.ts";
import { script, sh, withStdin } from "#engine/host/command.ts";
import type { Target } from "#engine/host/connection.ts";
import { FakeHost } from "#engine/host/fake/host.ts";
import { fakeTransport } from "#engine/host/fake/transport.ts";

const connect = (host: FakeHost, target: Partial<Target> = {}) =>
  fakeTransport({ web: host }).connect({ name: "web", address: "web", ...target });

describe("a fake host", () => {
  it("keeps the state of programs that a test gives it", async () => {
    const values = new Map([["net.ipv6.conf.all.forwarding", "0"]]);
    const host = new FakeHost().programs({
      sysctl: ({ args: [flag, setting = ""] }) => {
        if (flag !== "-w") return `${flag} = ${values.get(flag ?? "")}\n`;
        const [key = "", value = ""] = setting.split("=");
        if (!values.has(key)) return { code: 255, stderr: `sysctl: cannot stat ${key}\n` };
        values.set(key, value);
        return `${key} = ${value}\n`;
      },
    });
    const connection = await connect(host);
    await connection.run(sh`sysctl -w net.ipv6.conf.all.forwarding=1`);
    const { stdout } = await connection.run(sh`sysctl net.ipv6.conf.all.forwarding`);
    expect(stdout).toBe("net.ipv6.conf.all.forwarding = 1\n");
    expect((await connection.run(sh`sysctl -w no.such=1`)).code).toBe(255);
    expect(host.ran.map(({ argv }) => argv[1])).toEqual([
      "-w",
      "net.ipv6.conf.all.forwarding",
      "-w",
    ]);
  });

  it("answers scripts by text or pattern, with their arguments and stdin", async () => {
    const host = new FakeHost().script(/^for unit/, ({ args, stdin }) => `${args.join()} ${stdin}`);
    const connection = await connect(host);
    const { stdout } = await connection.run(withStdin(script("for unit in $@", "a", "b"), "in"));
    expect(stdout).toBe("a,b in");
    expect((await connection.run(script("unheard of"))).code).toBe(127);
  });

  it("follows symlinks when reading, shows them in stat, replaces them when writing", async () => {
    const host = new FakeHost();
    host.files.put("/etc/real", "old");
    host.files.symlink("/etc/link", "real");
    const connection = await connect(host);
    expect(String(await connection.readFile("/etc/link"))).toBe("old");
    expect(await connection.stat("/etc/link")).toMatchObject({ kind: "symlink", target: "real" });
    await connection.writeFile("/etc/link", Buffer.from("new"));
    expect([host.files.text("/etc/link"), host.files.text("/etc/real")]).toEqual(["new", "old"]);
  });

  it("lets only root write what is root's", async () => {
    const host = new FakeHost();
    host.loginUser = "ops";
    const connection = await connect(host);
    const write = (as?: string) =>
      connection.writeFile("/etc/x", Buffer.from("x"), as ? { as } : {});
    await expect(write()).rejects.toThrow("Permission denied");
    await write("root");
    expect(await connection.stat("/etc/x")).toMatchObject({ owner: "root", mode: 0o644 });
  });

  it("asks for the sudo password, and refuses a wrong one", async () => {
    const host = new FakeHost();
    host.loginUser = "ops";
    host.sudo = { password: "correct" };
    const become = async (sudoPassword?: Secret) =>
      (await connect(host, sudoPassword ? { sudoPassword } : {})).run(sh`id -un`, { as: "root" });
    await expect(become()).rejects.toMatchObject({ code: "PB_SUDO_PASSWORD_NEEDED" });
    await expect(become(new Secret("wrong"))).rejects.toMatchObject({ code: "PB_SUDO_REFUSED" });
    expect((await become(new Secret("correct"))).stdout).toBe("root\n");
    host.sudo = "refused";
    await expect(become()).rejects.toMatchObject({ code: "PB_SUDO_REFUSED" });
  });
});

describe("faults of a fake host", () => {
  it("loses the connection after some calls; the host remembers, a new connection works", async () => {
    const host = new FakeHost();
    const connection = await connect(host);
    host.loseAfter = 1;
    await connection.writeFile("/etc/first", Buffer.from("1"));
    await expect(connection.writeFile("/etc/second", Buffer.from("2"))).rejects.toMatchObject({
      code: "PB_CONNECTION_LOST",
    });
    expect(await connection.lost).toBeInstanceOf(Error);
    host.loseAfter = Number.POSITIVE_INFINITY;
    const again = await connect(host);
    expect(String(await again.readFile("/etc/first"))).toBe("1");
    expect(await again.readFile("/etc/second")).toBeUndefined();
  });

  it.each(["No space left on device", "Read-only file system"])(
    "refuses writes: %s",
    async (why) => {
      const host = new FakeHost();
      host.files.refuseWrites = why;
      const connection = await connect(host);
      const write = connection.writeFile("/etc/x", Buffer.from("x"));
      await expect(write).rejects.toMatchObject({ code: "PB_WRITE_FAILED" });
      await expect(write).rejects.toThrow(why);
    },
  );

  it("floods: the error of any transport", async () => {
    const host = new FakeHost().programs({ flood: () => "x".repeat(17 * 1024 * 1024) });
    const connection = await connect(host);
    await expect(connection.run(sh`flood`)).rejects.toMatchObject({ code: "PB_OUTPUT_TOO_LARGE" });
  });

  it("cannot be reached, as told", async () => {
    const host = new FakeHost();
    host.unreachable = new Error("no way");
    await expect(connect(host)).rejects.toThrow("no way");
  });
});
