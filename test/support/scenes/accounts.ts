import fc from "fast-check";
import { FakeHost } from "#engine/host/fake/host.ts";
import * as use from "#modules/index.ts";
import { withPackages } from "../fakes/packages.ts";
import { withUsers } from "../fakes/users.ts";
import { file, put, type Scenes, scene, state } from "./scene.ts";

export const accountsScenes: Scenes = {
  user: scene(
    fc.record({
      is: fc.option(
        fc.record({
          shell: fc.constantFrom("/bin/bash", "/bin/sh"),
          comment: fc.constantFrom("", "Somebody"),
          groups: fc.subarray(["adm", "video"]),
          keys: fc.constantFrom("none", "folder", "file"),
        }),
      ),
      home: fc.boolean(),
      sudoers: file,
      want: fc.record({
        shell: fc.constantFrom("/bin/bash", "/bin/sh"),
        comment: fc.constantFrom("Somebody", "Somebody else"),
        groups: fc.subarray(["adm", "video"]),
        system: fc.boolean(),
        state,
        removeHome: fc.boolean(),
      }),
      sudo: fc.boolean(),
      keys: fc.boolean(),
    }),
    ({ is, home, sudoers, want, sudo, keys }) => {
      const host = new FakeHost();
      host.files.mkdir("/home");
      host.files.mkdir("/etc/sudoers.d");
      put(host, "/etc/sudoers.d/run-playbook-deploy", sudoers);
      if (is !== null || home) host.files.mkdir("/home/deploy", { owner: "deploy" });
      if (is !== null && is.keys !== "none")
        host.files.mkdir("/home/deploy/.ssh", { mode: 0o700, owner: "deploy" });
      if (is?.keys === "file")
        host.files.put("/home/deploy/.ssh/authorized_keys", "old\n", { owner: "deploy" });
      const { keys: _, ...login } = is ?? { keys: "" };
      const users =
        is === null ? {} : { deploy: { uid: 1000, home: "/home/deploy", ...is, ...login } };
      withUsers(host, users, ["adm", "video"]);
      const key =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEE deploy";
      return {
        host,
        state: users,
        wish: use.user({
          name: "deploy",
          ...want,
          ...(sudo ? { sudo: "without-password" } : {}),
          ...(keys ? { authorizedKeys: [key] } : {}),
        }),
      };
    },
  ),

  apt: scene(
    fc.record({
      is: fc.record({
        tree: fc.constantFrom(undefined, "1.0-1", "2.0-1"),
        nano: fc.constantFrom(undefined, "7.2-1"),
        libtree: fc.boolean(),
        left: fc.boolean(),
      }),
      want: fc.constantFrom<Parameters<typeof use.apt>[0]>(
        { present: ["tree"] },
        { present: ["tree=1.*"], absent: ["nano"] },
        { present: ["tree", "nano"] },
        { absent: ["nano", "tree"], purge: true },
      ),
    }),
    ({ is, want }) => {
      const installed = (version: string) => ({ version, status: "installed" as const });
      const packages = {
        ...(is.tree === undefined ? {} : { tree: installed(is.tree) }),
        ...(is.tree === undefined && is.left
          ? { tree: { version: "", status: "config-files" as const } }
          : {}),
        ...(is.nano === undefined ? {} : { nano: installed(is.nano) }),
        ...(is.libtree || is.tree !== undefined ? { libtree: installed("1-1") } : {}),
      };
      const archive = {
        tree: { versions: ["2.0-1", "1.0-1"], needs: ["libtree"] },
        nano: { versions: ["7.2-1"] },
        libtree: { versions: ["1-1"] },
      };
      const host = withPackages(new FakeHost(), packages, archive);
      return { host, state: packages, wish: use.apt(want) };
    },
  ),
};
