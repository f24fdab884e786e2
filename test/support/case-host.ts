import { createHash } from "node:crypto";
import { posix } from "node:path";
import { isSecret } from "#engine/dsl/secret.ts";
import { idOf } from "#engine/host/fake/filesystem.ts";
import type { Change, Command, FileStat, Host, RunResult } from "#engine/index.ts";
import type { Answer, HostOverlay, HostState } from "./case-file.ts";

/** A host that knows only what a case file says: enough for read(), which only looks. */
export function caseHost(state: HostState): Host {
  const host: Host = {
    name: state.name,
    facts: state.facts,
    run: async (command) => answer(state, command),
    async text(command) {
      const { code, stdout, stderr } = await host.run(command);
      if (code === 0) return stdout.replace(/\n$/, "");
      const why = `${showCommand(command)} exited ${code}: ${stderr}`;
      throw Object.assign(new Error(why), { code: "PB_COMMAND_FAILED" });
    },
    ask: (question, about) => host.text(question.command([about])),
    readFile: async (path) => read(state, path),
    stat: async (path) => stat(state, path),
    async sha256(path) {
      const entry = state.files[path];
      if (typeof entry === "object" && entry.sha256 !== undefined) return entry.sha256;
      const content = read(state, path);
      return content === undefined ? undefined : createHash("sha256").update(content).digest("hex");
    },
  };
  return host;
}

interface DescribedCommand {
  readonly argv?: readonly string[];
  readonly script?: string;
  readonly args?: readonly string[];
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A command as case files write it: scripts by name. */
export function describeCommand({ argv, stdin, env }: Command): DescribedCommand {
  const [program, flag, text, , ...args] = argv;
  const name =
    program === "sh" && flag === "-c" ? /^# ([\w-]+)\n/.exec(text ?? "")?.[1] : undefined;
  return {
    ...(name === undefined ? { argv: [...argv] } : { script: name, args }),
    ...(stdin === undefined ? {} : { stdin: asText(stdin) }),
    ...(env === undefined ? {} : { env }),
  };
}

const showCommand = (command: Command) => JSON.stringify(describeCommand(command));

/** Content as text, secrets revealed: case files hold made-up ones. */
export const asText = (content: NonNullable<Command["stdin"]>): string => {
  if (isSecret(content)) return content.reveal();
  return typeof content === "string" ? content : Buffer.from(content).toString("utf8");
};

const same = (a: readonly string[], b: readonly string[]) =>
  a.length === b.length && a.every((part, index) => part === b[index]);

function answer(state: HostState, command: Command): RunResult {
  const asked = describeCommand(command);
  const found = state.commands.find(({ argv, script, args, stdin }) => {
    if (stdin !== undefined && stdin !== asked.stdin) return false;
    if (script !== undefined)
      return script === asked.script && (args === undefined || same(args, asked.args ?? []));
    return asked.argv !== undefined && same(argv ?? [], asked.argv);
  });
  if (found === undefined)
    throw new Error(`the case has no answer to ${showCommand(command)}: add it to host.commands`);
  return { code: found.code, stdout: found.stdout, stderr: found.stderr };
}

function read(state: HostState, path: string, hops = 0): string | undefined {
  const entry = state.files[path];
  if (entry === undefined || typeof entry === "string") return entry;
  if (entry.kind === "symlink" && entry.target !== undefined && hops < 8)
    return read(state, posix.resolve(posix.dirname(path), entry.target), hops + 1);
  if (entry.kind === "directory") throw new Error(`${path} is a directory in the case`);
  return entry.content ?? "";
}

function stat(state: HostState, path: string): FileStat | undefined {
  const entry = state.files[path];
  const holds = Object.keys(state.files).some((file) => file.startsWith(`${path}/`));
  if (entry === undefined && !holds) return undefined;
  const given = typeof entry === "object" ? entry : {};
  const kind = given.kind ?? (entry === undefined ? "directory" : "file");
  const owner = given.owner ?? "root";
  const group = given.group ?? owner;
  const content = typeof entry === "string" ? entry : (given.content ?? "");
  return {
    kind,
    mode: given.mode ?? (kind === "directory" ? 0o755 : 0o644),
    owner,
    group,
    uid: idOf(owner),
    gid: idOf(group),
    size: given.size ?? Buffer.byteLength(content),
    ...(given.target === undefined ? {} : { target: given.target }),
  };
}

/** The host once its file changes are made and the overlay is laid over it. */
export function hostAfter(
  state: HostState,
  changes: Iterable<Change>,
  then: HostOverlay,
): HostState {
  const files = { ...state.files };
  for (const change of changes)
    for (const one of change.op === "guarded" ? change.files : [change]) applyTo(files, one);
  for (const [path, entry] of Object.entries(then.files)) {
    if (entry === null) delete files[path];
    else files[path] = entry;
  }
  const replaced = (old: Answer) => !then.commands.some((next) => sameQuestion(old, next));
  return {
    ...state,
    facts: { ...state.facts, ...(then.facts as object) },
    files,
    commands: [...then.commands, ...state.commands.filter(replaced)],
  };
}

const sameQuestion = (a: Answer, b: Answer) =>
  JSON.stringify([a.argv, a.script, a.args, a.stdin]) ===
  JSON.stringify([b.argv, b.script, b.args, b.stdin]);

function applyTo(files: HostState["files"], change: Change): void {
  if (change.op === "write") {
    const { mode = 0o644, owner = "root", group = owner } = change.attributes;
    files[change.path] = { content: asText(change.content), mode, owner, group };
  } else if (change.op === "directory") {
    const { mode = 0o755, owner = "root", group = owner } = change.attributes;
    files[change.path] = { kind: "directory", mode, owner, group };
  } else if (change.op === "attributes") {
    const old = files[change.path];
    const entry = typeof old === "object" ? old : { content: old ?? "" };
    files[change.path] = { ...entry, ...change.attributes };
  } else if (change.op === "remove") {
    for (const path of Object.keys(files))
      if (path === change.path || path.startsWith(`${change.path}/`)) delete files[path];
  } else if (change.op === "run") runOn(files, change.command);
}

// The few commands that a managed file's way back takes.
function runOn(files: HostState["files"], { argv: [program, ...args] }: Command): void {
  const [target = "", path = ""] = args.slice(-2);
  if (program === "rmdir") delete files[path];
  if (program === "ln") files[path] = { kind: "symlink", target };
}
