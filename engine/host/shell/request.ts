import { randomBytes } from "node:crypto";
import { isSecret } from "../../dsl/secret.ts";
import type { Command } from "../command.ts";
import { quote, quoteAll } from "./quote.ts";

/** What one frame does on the host. */
export interface Work {
  /** For errors: the program and its first arguments. */
  readonly what: string;
  /** Text of sh, run in a subshell; every value in it is quoted. */
  readonly body: string;
  readonly stdin?: Uint8Array;
  /** In a process group of its own, so that what it leaves behind is seen. */
  readonly grouped: boolean;
}

export const newNonce = (): string => randomBytes(12).toString("hex");

// Only shells, interpreters and wrappers start things in the background; a plain program pays nothing for setsid,
// which is one more exec (about 0.5 ms).
const MAY_LEAVE_CHILDREN =
  /\/|^(?:(?:ba|da|a|z|k)?sh|busybox|env|nohup|setsid|sudo|su|runuser|xargs|find|timeout|nice|perl|python[\d.]*|ruby|node)$/;

/**
 * A command as work: the program itself is exec'ed, so that no builtin or function of the shell can take its place. An
 * inline script is run by the subshell itself.
 */
export function commandWork(command: Command, long = false): Work {
  const [program] = command.argv;
  if (program === "" || program.startsWith("-"))
    throw new TypeError(`"${program}" cannot be the name of a program`);
  const inline = command.inline === true && !long;
  const grouped = !inline && (long || MAY_LEAVE_CHILDREN.test(program));
  const act = inline
    ? inlined(command.argv)
    : `exec ${grouped ? "$_s " : ""}${quoteAll(command.argv)}`;
  const body = `${place(command)}${act}`;
  const what = describe(command.argv);
  const work: Work = { what, body, grouped };
  return command.stdin === undefined ? work : { ...work, stdin: bytesOf(command.stdin) };
}

// `sh -c TEXT sh ARGUMENTS`. On lines of its own, whatever comment it ends with.
function inlined([program, flag, text = "", , ...args]: readonly string[]): string {
  if (program !== "sh" || flag !== "-c")
    throw new TypeError(`${program} is no script to run inline`);
  return `set -- ${quoteAll(args)}\n${text}\n`;
}

function place({ cwd, env = {} }: Command): string {
  const settings = Object.entries(env).map(([name, value]) => {
    if (!/^[A-Za-z_]\w*$/.test(name)) throw new TypeError(`"${name}" cannot name a variable`);
    return `export ${name}=${quote(value)}; `;
  });
  const folder = cwd?.startsWith("-") ? `./${cwd}` : cwd;
  return `${folder === undefined ? "" : `cd ${quote(folder)} || exit 126; `}${settings.join("")}`;
}

const bytesOf = (stdin: NonNullable<Command["stdin"]>): Uint8Array => {
  if (isSecret(stdin)) return Buffer.from(stdin.reveal());
  return typeof stdin === "string" ? Buffer.from(stdin) : stdin;
};

/** A command in one line, for errors. */
export function describe(argv: readonly string[]): string {
  const text = argv.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : quote(word))).join(" ");
  const line = text.replace(/\s+/g, " ");
  return line.length > 160 ? `${line.slice(0, 160)}…` : line;
}

/**
 * The text that a framed shell is sent for one request. The payload goes in as base64 text to a builtin, so it is in
 * no argument list, no temporary file, and may hold any byte; without one the command reads end of file.
 */
export function frameText(nonce: string, work: Work): string {
  const streams = "2>&3 3>&-";
  const feed =
    work.stdin === undefined
      ? ""
      : `_pb_feed ${quote(Buffer.from(work.stdin).toString("base64"))} | `;
  const input = work.stdin === undefined ? "</dev/null " : "";
  return `_pb_b ${nonce}\n${feed}( ${work.body} ) ${input}${streams} &\n_pb_e ${nonce}${work.grouped ? " 1" : ""}\n`;
}
