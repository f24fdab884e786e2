import { createHash, randomBytes } from "node:crypto";
import { type Dirent, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** Secrets that are nowhere but where a test put them, by where they come from. */
export type Planted = Readonly<Record<string, string>>;

/** How every planted secret begins: a piece of one that somebody quotes is found too. */
const SEED = "pl4nt-";

/** A secret that nobody else has, with what quoting, encoding and masking could stumble over. */
export const plant = (name: string): string =>
  `${SEED}${name}-${randomBytes(9).toString("base64")}'"$\\&`;

const hashes = ["md5", "sha1", "sha256", "sha512"] as const;

/** All that would give a secret away: itself, encoded, or as a hash that whoever guesses it can try. */
export function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const json = JSON.stringify(secret).slice(1, -1);
  const whole = [bytes, Buffer.from(`${secret}\n`)].flatMap((content) =>
    hashes.flatMap((name) => {
      const digest = createHash(name).update(content).digest();
      return [digest.toString("hex"), digest.toString("base64").replace(/=+$/, "")];
    }),
  );
  const plain = [secret, json, encodeURIComponent(secret), bytes.toString("hex")];
  // In base64 the same bytes look different at each of three places: their inner part is looked for.
  const base64 = [0, 1, 2].flatMap((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString("base64")
      .slice(4, -4);
    return [text, text.replaceAll("+", "-").replaceAll("/", "_")];
  });
  return [...new Set([...plain, ...base64, ...whole])];
}

/** A pattern that any of them matches. */
export const patternOf = (secrets: readonly string[]): RegExp =>
  new RegExp(secrets.flatMap(formsOf).map(literal).join("|"));

const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&");

/** Where secrets are found in a text: "what: secret", by the names of the planted. */
export function leaksIn(what: string, text: string, planted: Planted): string[] {
  const whole = Object.entries(planted).flatMap(([name, secret]) =>
    formsOf(secret).some((form) => text.includes(form)) ? [`${what}: ${name}`] : [],
  );
  const at = text.indexOf(SEED);
  if (whole.length > 0 || at < 0) return whole;
  return [`${what}: a piece of one: ${text.slice(Math.max(0, at - 40), at + 40)}`];
}

export interface Walk {
  /** Files that secrets were put into on purpose. */
  readonly except?: readonly string[];
  /** Only what was written since, ms since the epoch. */
  readonly since?: number;
}

const LONGEST = 32 * 1024 * 1024;

/** Every file below some folders, with the secrets that are in its name or content. */
export function walk(
  folders: readonly string[],
  planted: Planted,
  { except = [], since = 0 }: Walk = {},
) {
  const leaks: string[] = [];
  let files = 0;
  const visit = (path: string, entry: Dirent) => {
    if (except.includes(path)) return;
    if (entry.isDirectory()) {
      for (const inner of entriesOf(path)) visit(join(path, inner.name), inner);
      return;
    }
    leaks.push(...leaksIn("the name of a file", entry.name, planted));
    if (!entry.isFile()) return;
    const content = contentOf(path, since);
    if (content === undefined) return;
    files += 1;
    leaks.push(...leaksIn(path, content, planted));
  };
  for (const folder of folders)
    for (const entry of entriesOf(folder)) visit(join(folder, entry.name), entry);
  return { leaks, files };
}

// Others use these folders too: what is gone by now, or not for us, is passed over.
function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

function contentOf(path: string, since: number): string | undefined {
  try {
    const { mtimeMs, size } = statSync(path);
    if (mtimeMs < since || size > LONGEST) return undefined;
    return readFileSync(path, "latin1");
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

const isGone = (error: unknown): boolean =>
  ["ENOENT", "EACCES", "ENOTDIR", "EPERM", "EIO", "ENXIO", "EINVAL"].includes(
    String((error as NodeJS.ErrnoException).code),
  );
