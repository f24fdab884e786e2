import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Target } from "#engine/host/connection.ts";
import { Routes } from "#engine/host/ssh/route.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "home-"));
  mkdirSync(join(home, ".ssh"));
});
afterEach(() => rmSync(home, { recursive: true }));

async function route(config: string, target: Partial<Target> & { address: string }) {
  writeFileSync(join(home, ".ssh/config"), config);
  const routes = await Routes.load({ home, configFiles: [join(home, ".ssh/config")], env: {} });
  return routes.of({ name: "host", ...target });
}

describe("ssh_config", () => {
  it("gives a name its address, port, user, keys and known_hosts", async () => {
    const found = await route(
      `Host cp1 cp1.*
        HostName 2001:db8::11
        Port 2222
        User ops
        IdentityFile ~/.ssh/one
        IdentityFile %d/two-%r
        UserKnownHostsFile ~/.ssh/hosts-a ~/.ssh/hosts-b
        StrictHostKeyChecking accept-new
        HashKnownHosts yes
      Host *
        User nobody
        IdentityFile ~/.ssh/three`,
      { address: "cp1" },
    );
    expect(found).toMatchObject({
      port: 2222,
      user: "ops",
      identityFiles: [`${home}/.ssh/one`, `${home}/two-ops`, `${home}/.ssh/three`],
      defaultIdentityFiles: [],
      knownHosts: {
        names: ["[2001:db8::11]:2222", "2001:db8::11"],
        files: [`${home}/.ssh/hosts-a`, `${home}/.ssh/hosts-b`, "/etc/ssh/ssh_known_hosts"],
        acceptNew: true,
        hashed: true,
      },
      jumps: [],
    });
    expect(found.addr.hostPort()).toBe("[2001:db8::11]:2222");
  });

  it("yields to what the inventory says", async () => {
    const found = await route(
      "Host *\n Port 1\n User them\n IdentityFile a\n StrictHostKeyChecking no\n",
      {
        address: "[2001:db8::1]:2022",
        user: "me",
        identityFile: "/mine",
        knownHostsFile: "/hosts",
        hostKeys: "strict",
      },
    );
    expect(found).toMatchObject({
      port: 2022,
      user: "me",
      identityFiles: ["/mine"],
      knownHosts: { files: ["/hosts"], acceptNew: false },
    });
  });

  it("does without a file", async () => {
    const routes = await Routes.load({
      home,
      configFiles: [join(home, "none")],
      env: { SSH_AUTH_SOCK: "/agent" },
    });
    expect(routes.of({ name: "host", address: "fe80::1%eth0" })).toMatchObject({
      port: 22,
      user: userInfo().username,
      agent: "/agent",
      identityFiles: [],
      knownHosts: { names: ["fe80::1%eth0"], acceptNew: false, hashed: false },
    });
  });

  it("follows Include, relative, with a pattern, and inside a Host block", async () => {
    mkdirSync(join(home, ".ssh/conf.d"));
    writeFileSync(join(home, ".ssh/conf.d/10.conf"), "Host cp1\n  User included\n");
    writeFileSync(join(home, ".ssh/conf.d/20.conf"), "Host cp2\n  User other\n");
    const config = "Include conf.d/*.conf\nPort 2200\nHost cp1\n  HostName 2001:db8::1\n";
    expect(await route(config, { address: "cp1" })).toMatchObject({ user: "included", port: 2200 });
    expect(await route(config, { address: "cp2" })).toMatchObject({ user: "other", port: 2200 });
  });

  it("follows patterns in folders too, in order, past what is hidden or not there", async () => {
    const put = (path: string, user: string) => {
      mkdirSync(dirname(join(home, path)), { recursive: true });
      writeFileSync(join(home, path), `Host *\n  User ${user}\n`);
    };
    put("sites/.hidden/ssh.conf", "hidden");
    put("sites/b/ssh.conf", "b");
    put("sites/a/ssh.conf", "a");
    put("sites/a/ssh.conf.old", "old");
    const config = "Include ~/none/*.conf ~/sites/*/s?h.conf\n";
    expect(await route(config, { address: "cp1" })).toMatchObject({ user: "a" });
  });

  it("stops at an Include that goes round in a circle", async () => {
    await expect(route("Include config\n", { address: "cp1" })).rejects.toMatchObject({
      code: "PB_SSH_CONFIG_INVALID",
    });
  });

  it("knows a host by its HostKeyAlias alone", async () => {
    const found = await route("Host cp1\n HostName ::1\n Port 2222\n HostKeyAlias CP-One\n", {
      address: "cp1",
    });
    expect(found.knownHosts.names).toEqual(["cp-one"]);
  });

  it("refuses ProxyCommand rather than going there directly", async () => {
    await expect(
      route("Host cp1\n ProxyCommand nc %h %p\n", { address: "cp1" }),
    ).rejects.toMatchObject({
      code: "PB_SSH_CONFIG_UNSUPPORTED",
    });
  });

  it("finds jump hosts with their own settings, several in a row, nearest first", async () => {
    const config = `Host inner
        ProxyJump outer,ops@[2001:db8::2]:2222
      Host outer
        HostName 2001:db8::1
        User gate`;
    const { jumps } = await route(config, { address: "inner" });
    expect(jumps.map(({ user, addr }) => `${user} ${addr.hostPort()}`)).toEqual([
      "gate [2001:db8::1]:22",
      "ops [2001:db8::2]:2222",
    ]);
  });

  it("takes the inventory's jump before ssh_config's, and none for none", async () => {
    const config = "Host inner\n ProxyJump outer\n";
    expect((await route(config, { address: "inner", jump: "none" })).jumps).toEqual([]);
    const { jumps } = await route(config, { address: "inner", jump: "2001:db8::9" });
    expect(jumps.map(({ addr }) => addr.ssh())).toEqual(["2001:db8::9"]);
  });

  it("refuses jump hosts that lead back to themselves", async () => {
    const config = "Host a\n ProxyJump b\nHost b\n ProxyJump a\n";
    await expect(route(config, { address: "a" })).rejects.toMatchObject({ code: "PB_JUMP_FAILED" });
  });

  it("starts no program: neither for Match exec nor to look names up", async () => {
    const mark = join(home, "started");
    const found = await route(
      `Match exec "touch ${mark}"
        User them
      Host cp1
        CanonicalizeHostname yes
        CanonicalDomains example.net
      Host *
        User me`,
      { address: "cp1" },
    );
    expect(found.user).toBe("me");
    expect(found.addr.host).toBe("cp1");
    expect(existsSync(mark)).toBe(false);
  });
});
