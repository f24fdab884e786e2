import { readFile } from "node:fs/promises";
import ssh2, {
  type AnyAuthMethod,
  type IdentityCallback,
  type OpenSSHAgent,
  type ParsedKey,
  type SignCallback,
  type SigningRequestOptions,
} from "ssh2";
import { PlaybookError } from "../../errors/error.ts";
import { errnoText } from "../errno.ts";
import type { Route } from "./route.ts";

/** sshd hangs up after six refused keys (MaxAuthTries). */
const MAX_KEYS = 5;

export interface Credentials {
  readonly methods: readonly AnyAuthMethod[];
  /** In words, for the error when none is accepted. */
  readonly tried: readonly string[];
}

/** The keys that this side has. */
export class Keyring {
  /** What key files hold, for all hosts that ask: each is read once. */
  readonly #files = new Map<string, Promise<ParsedKey | undefined>>();

  /** Keys in the order they are tried: named files, the agent's, default files. */
  async credentials(route: Route): Promise<Credentials> {
    const agent = await reachableAgent(route.agent);
    const files = async (paths: readonly string[], named: boolean) => {
      const found: { path: string; method: AnyAuthMethod }[] = [];
      for (const path of paths) {
        const key = await this.#keyOf(path, named, agent !== undefined);
        if (key === undefined) continue;
        found.push({ path, method: { type: "publickey", username: route.user, key } });
      }
      return found;
    };
    const named = await files(route.identityFiles, true);
    const usual = await files(route.defaultIdentityFiles, false);
    agent?.keep(Math.max(1, MAX_KEYS - named.length - usual.length));
    const held = agent && {
      path: `the agent (${agent.size} keys)`,
      method: { type: "agent", username: route.user, agent } satisfies AnyAuthMethod,
    };
    const all = [...named, ...(held ? [held] : []), ...usual];
    return { methods: all.map(({ method }) => method), tried: all.map(({ path }) => path) };
  }

  #keyOf(path: string, named: boolean, agent: boolean): Promise<ParsedKey | undefined> {
    const asked = `${named} ${agent} ${path}`;
    const known = this.#files.get(asked);
    if (known !== undefined) return known;
    const reading = keyFrom(path, named, agent);
    this.#files.set(asked, reading);
    // What is wrong with a file may be mended by the time that a host is tried again.
    reading.then(
      (key) => key ?? this.#files.delete(asked),
      () => this.#files.delete(asked),
    );
    return reading;
  }
}

async function keyFrom(
  path: string,
  named: boolean,
  agent: boolean,
): Promise<ParsedKey | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (!named) return undefined;
    throw new PlaybookError("PB_KEY_UNREADABLE", [path, errnoText(error)], {}, { cause: error });
  }
  const parsed = ssh2.utils.parseKey(text);
  if (!(parsed instanceof Error)) {
    const [key] = [parsed].flat();
    if (key?.isPrivateKey()) return key;
    if (!named) return undefined;
    throw new PlaybookError("PB_KEY_UNREADABLE", [path, "it is a public key"]);
  }
  if (/encrypted/i.test(parsed.message)) {
    // The agent is expected to hold it; a default key without its passphrase is no way in.
    if (agent || !named) return undefined;
    throw new PlaybookError("PB_KEY_ENCRYPTED", [path]);
  }
  if (!named) return undefined;
  throw new PlaybookError("PB_KEY_UNREADABLE", [path, parsed.message]);
}

// ssh2 reports an agent that does not answer as an error of the whole connection, so it is asked first.
async function reachableAgent(socket: string | undefined): Promise<FewKeysAgent | undefined> {
  if (socket === undefined || socket === "") return undefined;
  const agent = new FewKeysAgent(new ssh2.OpenSSHAgent(socket));
  return (await agent.load()) ? agent : undefined;
}

/** An agent that offers no more keys than the server lets one try. */
class FewKeysAgent extends ssh2.BaseAgent<ParsedKey> {
  readonly #agent: OpenSSHAgent;
  #keys: ParsedKey[] = [];

  constructor(agent: OpenSSHAgent) {
    super();
    this.#agent = agent;
  }

  get size(): number {
    return this.#keys.length;
  }

  keep(count: number): void {
    this.#keys = this.#keys.slice(0, count);
  }

  load(): Promise<boolean> {
    return new Promise((resolve) => {
      this.#agent.getIdentities((error, keys) => {
        this.#keys = error ? [] : [...(keys ?? [])].flatMap((key) => asKeys(key));
        resolve(this.#keys.length > 0);
      });
    });
  }

  override getIdentities(done: IdentityCallback<ParsedKey>): void {
    done(null, this.#keys);
  }

  override sign(
    key: ParsedKey,
    data: Buffer,
    options: SigningRequestOptions | SignCallback,
    done?: SignCallback,
  ): void {
    if (typeof options === "function") this.#agent.sign(key, data, options);
    else this.#agent.sign(key, data, options, done);
  }
}

function asKeys(key: unknown): ParsedKey[] {
  if (typeof key === "object" && key !== null && "getPublicSSH" in key) return [key as ParsedKey];
  return [];
}
