import type { FakeHost } from "#engine/host/fake/host.ts";

/** A login of a fake host. */
export interface FakeUser {
  uid: number;
  comment: string;
  home: string;
  shell: string;
  /** Further groups than its own. */
  groups: string[];
}

const option = (args: readonly string[], name: string) => args[args.indexOf(name) + 1] ?? "";

/** Lets a fake host answer for its users and groups, as shadow's programs do. */
export function withUsers(
  host: FakeHost,
  users: Record<string, FakeUser>,
  groups: readonly string[],
): FakeHost {
  const unknown = { code: 2 };
  return host.programs({
    getent: ({ args: [database, , ...names] }) => {
      if (database === "group")
        return names
          .filter((name) => groups.includes(name))
          .map((name) => `${name}:x:100:\n`)
          .join("");
      const [name = ""] = names;
      const user = users[name];
      if (user === undefined) return unknown;
      const { uid, comment, home, shell } = user;
      return `${name}:x:${uid}:${uid}:${comment}:${home}:${shell}\n`;
    },
    id: ({ args }) => {
      const name = args.at(-1) ?? "";
      const user = users[name];
      return user === undefined ? { code: 1 } : `${[name, ...user.groups].join(" ")}\n`;
    },
    useradd: ({ args, host: { files } }) => {
      const home = option(args, "--home-dir");
      const name = args.at(-1) ?? "";
      users[name] = {
        uid: args.includes("--uid") ? Number(option(args, "--uid")) : 1001,
        comment: args.includes("--comment") ? option(args, "--comment") : "",
        home,
        shell: option(args, "--shell"),
        groups: args.includes("--groups") ? option(args, "--groups").split(",") : [],
      };
      if (args.includes("--create-home") && files.stat(home) === undefined) {
        files.mkdir(home, { owner: name });
        files.put(`${home}/.profile`, "", { owner: name });
      }
      return undefined;
    },
    userdel: ({ args, host: { files } }) => {
      const name = args.at(-1) ?? "";
      if (args.includes("--remove")) files.remove(users[name]?.home ?? "/nowhere");
      delete users[name];
      return undefined;
    },
    usermod: ({ args }) => {
      const user = users[args.at(-1) ?? ""];
      if (user === undefined) return unknown;
      if (args.includes("--shell")) user.shell = option(args, "--shell");
      if (args.includes("--comment")) user.comment = option(args, "--comment");
      if (args.includes("--append")) user.groups.push(...option(args, "--groups").split(","));
      return undefined;
    },
    gpasswd: ({ args: [, name = "", group = ""] }) => {
      const user = users[name];
      if (user !== undefined) user.groups = user.groups.filter((one) => one !== group);
      return undefined;
    },
  });
}
