import { hkdfSync, randomBytes } from "node:crypto";
import { access, constants, open, readFile, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { PlaybookError } from "../errors/error.ts";
import { errnoText } from "../host/errno.ts";
import { KeyedHash } from "../keyed-hash/keyed-hash.ts";
import { describeIssues } from "../plan/issues.ts";
import { readKey } from "./key.ts";
import type { PlanBody } from "./recorder.ts";
import { PLAN_VERSION, PlanFile } from "./schema.ts";

/** A plan that is yet to be written. */
export interface NewPlan {
  readonly nonce: string;
  readonly digests: KeyedHash;
}

export function newPlan(key: Uint8Array): NewPlan {
  const nonce = randomBytes(16).toString("base64url");
  return { nonce, digests: hashesOf(key, nonce) };
}

/** Finds out before anything else whether a plan could be written there. @throws PB_PLAN_NOT_WRITTEN */
export async function checkWritable(path: string): Promise<void> {
  const there = await stat(path).catch(() => undefined);
  if (there?.isDirectory() === true) throw notWritten(path, new Error("it is a folder"));
  await access(dirname(path), constants.W_OK).catch((error: unknown) => {
    throw notWritten(path, error);
  });
}

/** Writes a plan, readable by this user only: whole, or what was there before. @throws PB_PLAN_NOT_WRITTEN */
export async function writePlan(
  path: string,
  body: PlanBody,
  { nonce, digests, madeAt }: NewPlan & { readonly madeAt: number },
): Promise<void> {
  const { plan, ...rest } = body;
  const unsealed: Omit<PlanFile, "seal"> = {
    plan,
    version: PLAN_VERSION,
    madeAt: new Date(madeAt).toISOString(),
    ...rest,
    nonce,
    key: digests.of(KEY),
  };
  const file: PlanFile = { ...unsealed, seal: digests.of(unsealed) };
  const beside = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}`);
  try {
    await using written = await open(beside, "wx", 0o600);
    await written.writeFile(`${JSON.stringify(file, undefined, 2)}\n`);
    await written.sync();
    await rename(beside, path);
  } catch (error) {
    throw notWritten(path, error);
  } finally {
    await rm(beside, { force: true });
  }
}

/** A plan as it lies in a file, readable without a key. @throws PB_PLAN_UNREADABLE */
export async function readPlan(path: string): Promise<PlanFile> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw unreadable(path, errnoText(error), error);
  });
  const data = parse(path, text);
  const version: unknown =
    typeof data === "object" && data !== null && "version" in data ? data.version : undefined;
  if (typeof version === "number" && version !== PLAN_VERSION)
    throw unreadable(
      path,
      `its layout is number ${version}, and this engine knows ${PLAN_VERSION}`,
    );
  const parsed = PlanFile.safeParse(data);
  if (parsed.success) return parsed.data;
  throw unreadable(path, `it is no plan file: ${describeIssues(few(parsed.error), data)}`);
}

/** The digests that a plan was made with. @throws PB_PLAN_KEY, PB_PLAN_UNREADABLE */
export async function unlock(path: string, file: PlanFile, keyFile: string): Promise<KeyedHash> {
  const digests = hashesOf(await readKey(keyFile), file.nonce);
  if (digests.of(KEY) !== file.key)
    throw new PlaybookError("PB_PLAN_KEY", [keyFile, `${path} was made with another one`]);
  const { seal, ...unsealed } = file;
  if (digests.of(unsealed) !== seal) throw unreadable(path, "it was edited since it was made");
  return digests;
}

// Another nonce gives another key: two plans do not show that they share a secret.
const hashesOf = (key: Uint8Array, nonce: string): KeyedHash =>
  new KeyedHash(new Uint8Array(hkdfSync("sha256", key, nonce, "run-playbook plan file", 32)));

const KEY = "key";

// Of a file that is something else altogether, every field is wrong.
const few = ({ issues }: z.ZodError) => new z.ZodError(issues.slice(0, 3));

function parse(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) throw unreadable(path, "it is no JSON", error);
    throw error;
  }
}

const unreadable = (path: string, why: string, cause?: unknown) =>
  new PlaybookError("PB_PLAN_UNREADABLE", [path, why], {}, { cause });

const notWritten = (path: string, error: unknown) =>
  new PlaybookError("PB_PLAN_NOT_WRITTEN", [path, errnoText(error)], {}, { cause: error });
