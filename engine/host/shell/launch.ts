import { redactedEnd } from "../../dsl/masking.ts";
import type { Secret } from "../../dsl/secret.ts";
import { PlaybookError } from "../../errors/error.ts";
import { deadlineIn, left, within } from "../deadline.ts";
import { CALLS_SHELL } from "../introduction.ts";
import type { OpenPipe, Pipe, PipeEnd } from "./pipe.ts";
import { prelude } from "./prelude.ts";
import { quote, quoteAll } from "./quote.ts";
import { newNonce } from "./request.ts";

/** Bytes of what a host may print before the shell is up. */
const LONGEST_GREETING = 4 * 1024 * 1024;

/** Who is logged in where, and how to become somebody else there. */
export interface Identity {
  /** The inventory's name, for errors. */
  readonly host: string;
  readonly loginUser: string;
  readonly sudoPassword?: Secret<string>;
  /** What shells for calls are told apart by on the host, as `shellMark` gives it. */
  readonly mark?: readonly string[];
}

export interface LaunchOptions {
  readonly as?: string;
  readonly timeoutMs: number;
  readonly reserved?: boolean;
  readonly wanted?: () => boolean;
  /** Text of sh on one line, run as the shell starts: what it prints comes without a round trip of its own. */
  readonly opening?: string;
  /** A script with arguments in place of the framed shell; its stdin and stdout are raw once it is up. */
  readonly script?: { readonly text: string; readonly args: readonly string[] };
}

export interface Launched {
  readonly pipe: Pipe;
  /** Of the shell, on the host. */
  readonly pid: number;
  /** What `opening` printed. */
  readonly said: string;
}

/**
 * Starts `sh` as some user and waits until it says that it is up. Whatever login scripts print before that is
 * dropped. A password goes to sudo's stdin when sudo asks, once: a second question is a refusal.
 */
export async function launch(
  open: OpenPipe,
  identity: Identity,
  options: LaunchOptions,
): Promise<Launched> {
  const until = deadlineIn(options.timeoutMs);
  const hello = newNonce();
  const line = commandLine(hello, identity, options);
  const { timeoutMs, reserved = false, wanted = () => true, script } = options;
  const pipe = await open(line, { timeoutMs, reserved, wanted });
  const who = { ...identity, as: options.as ?? identity.loginUser };
  const starting = new Greeting(pipe, { hello, marks: script === undefined ? 2 : 1 }, who);
  try {
    const up = await within(left(until), starting.done, () => silent(identity, options.timeoutMs));
    // On its way together with the first calls.
    if (script === undefined) pipe.stdin.write(prelude);
    return up;
  } catch (error) {
    pipe.destroy();
    throw error;
  }
}

const silent = ({ host }: Identity, ms: number) =>
  new PlaybookError("PB_SHELL_FAILED", [host, `it was silent for ${Math.round(ms / 1000)} s`]);

const becomes = ({ loginUser }: Identity, as: string | undefined): boolean =>
  as !== undefined && as !== loginUser;

/**
 * Where printf is a program of its own, it would show to everybody what goes to a command's stdin: that is an argument
 * of it.
 */
const own =
  "case $(command -v printf) in printf) ;; " +
  '*) echo "its sh has no printf of its own" >&2; exit 1 ;; esac; ';

/** The name is broken up: until the shell is one for calls, nobody who looks for such shells finds it. */
const framed = ({ mark = [] }: Identity): string =>
  `exec sh -s ${CALLS_SHELL.slice(0, -1)}"${CALLS_SHELL.slice(-1)}" ${quoteAll(mark)}`.trimEnd();

/** One line of single-quoted words: every login shell, fish and csh included, reads it the same way. */
function commandLine(hello: string, identity: Identity, options: LaunchOptions): string {
  const greet = `printf "\\001%s %s\\n" ${hello} "$$"; `;
  const { script, as, opening = ":" } = options;
  const asks = becomes(identity, as) && identity.sudoPassword !== undefined;
  const shell =
    script === undefined
      ? ["sh", "-c", `${own}${greet}${opening}; printf "\\001%s\\n" ${hello}; ${framed(identity)}`]
      : ["sh", "-c", `${greet}${script.text}`, "sh", ...script.args];
  if (as === undefined || !becomes(identity, as))
    return `exec ${script === undefined ? "" : `${IN_ENGLISH} `}${quoteWord(shell)}`;
  if (identity.loginUser === "root") return `exec ${IN_ENGLISH} sh -c ${quote(dropTo(as, shell))}`;
  const sudo = asks ? ["sudo", "-S", "-p", `\x02${hello}`] : ["sudo", "-n"];
  return `exec ${IN_ENGLISH} ${quoteAll([...sudo, "-H", "-u", as, "--", ...shell])}`;
}

const quoteWord = ([program = "sh", ...rest]: readonly string[]) =>
  [program, ...rest.map(quote)].join(" ");

/**
 * What sudo and the programs of a script say is read here. With LANGUAGE, gettext before 0.22 translates in any locale
 * but C, C.UTF-8 included; where it is empty it counts as unset. By env, as login shells differ in how they set variables.
 */
const IN_ENGLISH = "env LC_ALL=C LANGUAGE=";

// Hosts with a root login often have no sudo; runuser is part of util-linux.
const dropTo = (as: string, shell: readonly string[]): string =>
  `cd /; if command -v runuser >/dev/null; then exec runuser -u ${quote(as)} -- ${quoteAll(shell)}; ` +
  `else exec sudo -n -H -u ${quote(as)} -- ${quoteAll(shell)}; fi`;

/** Reads what comes before the shell is up. */
class Greeting {
  readonly done: Promise<Launched>;
  readonly #pipe: Pipe;
  readonly #needle: Buffer;
  readonly #marks: number;
  readonly #prompt: string;
  readonly #who: Identity & { readonly as: string };
  readonly #settle = Promise.withResolvers<Launched>();
  /** What stands between the marks so far: before the first one, whatever login scripts print. */
  readonly #said: string[] = [];
  #pid = Number.NaN;
  #out: Buffer = Buffer.alloc(0);
  #err = "";
  #heard = 0;
  #prompts = 0;

  constructor(
    pipe: Pipe,
    { hello, marks }: { readonly hello: string; readonly marks: number },
    who: Identity & { readonly as: string },
  ) {
    this.#pipe = pipe;
    this.#needle = Buffer.from(`\x01${hello}`);
    this.#marks = marks;
    this.#prompt = `\x02${hello}`;
    this.#who = who;
    this.done = this.#settle.promise;
    pipe.stdout.on("data", this.#onOut);
    pipe.stderr.on("data", this.#onErr);
    void pipe.closed.then((end) => this.#settle.reject(this.#refusal(end)));
    // A shell that ends before it is up breaks its input too; why it ended is what counts.
    pipe.stdin.on("error", () => undefined);
  }

  // What login scripts print ends some time.
  #isEndless({ length }: Buffer): boolean {
    this.#heard += length;
    if (this.#heard <= LONGEST_GREETING) return false;
    this.#settle.reject(this.#broken());
    this.#pipe.destroy();
    return true;
  }

  #onOut = (chunk: Buffer): void => {
    if (this.#isEndless(chunk)) return;
    this.#out = Buffer.concat([this.#out, chunk]).subarray(-65_536);
    while (this.#said.length < this.#marks) {
      const at = this.#out.indexOf(this.#needle);
      const end = at < 0 ? -1 : this.#out.indexOf(10, at);
      if (end < 0) return;
      const mark = this.#out.toString("latin1", at + this.#needle.length, end);
      const isFirst = this.#said.length === 0;
      if (!(isFirst ? /^ [1-9]\d{0,9}$/ : /^$/).test(mark)) {
        this.#settle.reject(this.#broken());
        return;
      }
      if (isFirst) this.#pid = Number(mark);
      this.#said.push(this.#out.toString("utf8", 0, at));
      this.#out = this.#out.subarray(end + 1);
    }
    this.#up();
  };

  #up(): void {
    const { stdout, stderr } = this.#pipe;
    stdout.off("data", this.#onOut);
    stderr.off("data", this.#onErr);
    stdout.pause();
    stderr.pause();
    if (this.#out.length > 0) stdout.unshift(this.#out);
    this.#settle.resolve({ pipe: this.#pipe, pid: this.#pid, said: this.#said[1] ?? "" });
  }

  #onErr = (chunk: Buffer): void => {
    if (this.#isEndless(chunk)) return;
    this.#err = redactedEnd(this.#err, chunk.toString(), 8192);
    const prompts = this.#err.split(this.#prompt).length - 1;
    if (prompts <= this.#prompts) return;
    this.#prompts = prompts;
    // Only sudo is told: a login script could ask in its place.
    const password = becomes(this.#who, this.#who.as) ? this.#who.sudoPassword : undefined;
    if (prompts > 1 || password === undefined) {
      const refused = becomes(this.#who, this.#who.as)
        ? this.#sudoRefused("the password is wrong")
        : this.#broken();
      this.#settle.reject(refused);
      this.#pipe.destroy();
    } else this.#pipe.stdin.write(`${password.reveal()}\n`);
  };

  #lastWords(): string {
    const lines = this.#err.replaceAll(this.#prompt, "").trim().split("\n");
    return lines.at(-1)?.trim() || this.#out.toString().trim().split("\n").at(-1) || "";
  }

  #broken(): PlaybookError {
    return new PlaybookError("PB_SHELL_FAILED", [this.#who.host, "it greets in the wrong way"]);
  }

  #sudoRefused(why: string): PlaybookError {
    return new PlaybookError("PB_SUDO_REFUSED", [this.#who.as, this.#who.host, why]);
  }

  #refusal(end: PipeEnd): PlaybookError {
    const { host, as } = this.#who;
    if (end.reason !== undefined)
      return new PlaybookError("PB_CONNECTION_LOST", [host, end.reason]);
    const said = this.#lastWords().replace(/\.$/, "");
    if (!becomes(this.#who, as))
      return new PlaybookError("PB_SHELL_FAILED", [host, said || "its login shell ended at once"]);
    if (/password is required|authentication is required/i.test(said))
      return new PlaybookError("PB_SUDO_PASSWORD_NEEDED", [as, host]);
    return this.#sudoRefused(
      this.#prompts > 0 ? "the password is wrong" : said || "it ended at once",
    );
  }
}
