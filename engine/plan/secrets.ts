import { type Ref, type RefSource, refsIn, type SecretSource } from "../dsl/ref.ts";
import { Secret } from "../dsl/secret.ts";
import { PlaybookError } from "../errors/error.ts";
import type { Command } from "../host/command.ts";
import type { RunResult } from "../host/connection.ts";
import { checkSecrets } from "./action-params.ts";
import type { Plan } from "./plan.ts";

/** The control machine, as far as secrets come from it. */
export interface SecretReaders {
  env(name: string): string | undefined;
  /** Content and permission bits, or undefined where no file is. */
  file(path: string): Promise<{ content: string; mode: number } | undefined>;
  command(command: Command): Promise<RunResult>;
  /** Asks on the terminal, without echo; undefined where there is no terminal. */
  ask(question: string): Promise<string | undefined>;
}

/** Secrets by where they come from. */
export type Secrets = ReadonlyMap<string, Secret>;

/** Where a secret comes from, as a key: the same source is read once. */
export const secretKey = (source: SecretSource): string => JSON.stringify(source);

/** Reads every secret that a plan refers to, one after another, as each may ask. @throws PB_SECRET_UNAVAILABLE */
export async function readSecrets(plan: Plan, readers: SecretReaders): Promise<Secrets> {
  const used = new Set(plan.nodes.flatMap(({ actsOn, host }) => [actsOn, host.name]));
  const hosts = Object.entries(plan.inventory).filter(([name]) => used.has(name));
  const values = [
    ...hosts.map(([, { sudoPassword }]) => sudoPassword),
    ...plan.nodes.map(({ work }) => work.params),
  ];
  return readSecretsIn(values, readers);
}

/** Checks params that hold secrets, now that these are known. @throws PB_PARAMS_INVALID */
export function checkSecretParams({ nodes }: Plan, secrets: Secrets): void {
  const checked = new Set<unknown>();
  const lookup = (source: RefSource) =>
    source.kind === "secret" ? secrets.get(secretKey(source.source)) : undefined;
  for (const { work, step } of nodes) {
    if (checked.has(work) || secretsIn(work.params).length === 0) continue;
    checked.add(work);
    checkSecrets(work, step.label, lookup);
  }
}

/** Reads every secret that some values refer to, one after another. @throws PB_SECRET_UNAVAILABLE */
export async function readSecretsIn(
  values: readonly unknown[],
  readers: SecretReaders,
): Promise<Secrets> {
  const sources = new Map(
    values.flatMap(secretsIn).map((source) => [secretKey(source), source] as const),
  );
  const secrets = new Map<string, Secret>();
  for (const [key, source] of sources) secrets.set(key, new Secret(await read(source, readers)));
  return secrets;
}

function secretsIn(value: unknown): SecretSource[] {
  return refsIn(value).flatMap(({ source }: Ref<unknown>) => fromSource(source));
}

function fromSource(source: RefSource): SecretSource[] {
  if (source.kind === "secret") return [source.source];
  return source.kind === "mapped" ? secretsIn(source.of) : [];
}

async function read(source: SecretSource, readers: SecretReaders): Promise<string> {
  switch (source.from) {
    case "env":
      return filled(`secret in $${source.name}`, readers.env(source.name), "it is not set");
    case "file":
      return readFile(source.path, readers);
    case "command":
      return runCommand(source.command, readers);
    case "prompt": {
      const answer = await readers.ask(source.question);
      return filled(`answer to "${source.question}"`, answer, "there is no terminal to ask on");
    }
  }
}

async function readFile(path: string, readers: SecretReaders): Promise<string> {
  const name = `secret in ${path}`;
  const file = await readers.file(path);
  if (file !== undefined && (file.mode & 0o077) !== 0) {
    const mode = file.mode.toString(8).padStart(4, "0");
    throw unavailable(name, `others may read the file (mode ${mode}, 0600 is wanted)`);
  }
  return filled(name, file && withoutNewline(file.content), "there is no such file");
}

async function runCommand(command: Command, readers: SecretReaders): Promise<string> {
  const name = `secret that ${command.argv[0]} prints`;
  const { code, stdout, stderr } = await readers.command(command);
  const said = stderr.trim().split("\n").at(-1) ?? "";
  if (code !== 0) throw unavailable(name, `it exited ${code}${said === "" ? "" : `: ${said}`}`);
  return filled(name, withoutNewline(stdout), "it prints nothing");
}

function filled(name: string, value: string | undefined, missing: string): string {
  if (value === undefined) throw unavailable(name, missing);
  if (value === "") throw unavailable(name, "it is empty");
  return value;
}

const withoutNewline = (text: string) => text.replace(/\r?\n$/, "");

const unavailable = (name: string, why: string) =>
  new PlaybookError("PB_SECRET_UNAVAILABLE", [name, why], { state: "nothing was touched" });
