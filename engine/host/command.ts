import type { Secret } from "../dsl/secret.ts";

/**
 * A program and its arguments: data, never a shell string. Secrets have no place in argv or the environment (both
 * show in the process list): they travel on stdin.
 */
export interface Command {
  readonly argv: readonly [string, ...string[]];
  readonly stdin?: string | Uint8Array | Secret<string>;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Of a {@link script}: whether the shell that takes calls runs it itself. */
  readonly inline?: true;
}

type Argument = string | number | readonly (string | number)[];

/**
 * Builds a {@link Command} from a template: literal text is split at white space, each `${value}` is one argument or
 * part of one, each `${list}` that stands alone is as many arguments as it has entries. Nothing is ever re-parsed by a
 * shell, so values need no quoting.
 *
 * @example sh`sysctl -w ${`${key}=${value}`}`
 */
export function sh(literals: TemplateStringsArray, ...values: Argument[]): Command {
  const argv: string[] = [];
  let open: string | undefined;
  const close = () => {
    if (open !== undefined) argv.push(open);
    open = undefined;
  };
  literals.forEach((literal, index) => {
    for (const part of literal.split(/(\s+)/)) {
      if (part === "") continue;
      if (/^\s/.test(part)) close();
      else open = (open ?? "") + part;
    }
    if (index >= values.length) return;
    const value = values[index] as Argument;
    if (typeof value === "string" || typeof value === "number") open = (open ?? "") + String(value);
    else if (open !== undefined || /^\S/.test(literals[index + 1] ?? ""))
      throw new TypeError("a list in sh`…` must stand alone, with spaces around it");
    else argv.push(...value.map(String));
  });
  close();
  const [program, ...rest] = argv;
  if (program === undefined) throw new TypeError("sh`…` needs a program");
  return { argv: [program, ...rest] };
}

/** The same command with something on its standard input: the way for secrets and for anything long. */
export const withStdin = (command: Command, stdin: NonNullable<Command["stdin"]>): Command => ({
  ...command,
  stdin,
});

/**
 * A POSIX sh script with positional arguments: for reads that need a loop or a pipe. The script is constant text;
 * data comes in as `"$1"`, so it is never parsed as code.
 */
export const script = (text: string, ...args: (string | number)[]): Command => ({
  argv: ["sh", "-c", text, "sh", ...args.map(String)],
});

/**
 * A script without a shell and a session of its own, which are most of what a short one costs: for what every run asks
 * of every host. Nothing that it leaves running may hold its output open.
 */
export const inlineScript = (text: string, ...args: (string | number)[]): Command => ({
  ...script(text, ...args),
  inline: true,
});
