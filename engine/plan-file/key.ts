import { randomBytes } from "node:crypto";
import { mkdir, open, readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { PlaybookError } from "../errors/error.ts";
import { errnoCode, errnoText } from "../host/errno.ts";
import { stateHome } from "../host/xdg.ts";

/** Where this user's key lies: never beside a plan, so that no folder and no archive holds both by chance. */
export const usualKeyFile = (env: Readonly<Record<string, string | undefined>>): string =>
  join(stateHome(env), "run-playbook", "plan.key");

/** The key in a file. @throws PB_PLAN_KEY */
export async function readKey(path: string): Promise<Uint8Array> {
  const [text, { mode }] = await Promise.all([readFile(path, "utf8"), stat(path)]).catch(
    (error: unknown) => {
      throw new PlaybookError("PB_PLAN_KEY", [path, errnoText(error)], {}, { cause: error });
    },
  );
  if ((mode & 0o077) !== 0) {
    const shown = (mode & 0o777).toString(8).padStart(4, "0");
    throw new PlaybookError("PB_PLAN_KEY", [path, `others may read it (mode ${shown})`], {
      hint: `Anybody who read it can try secrets against the plans: remove it, and make new plans.`,
    });
  }
  const key = Buffer.from(text.trim(), "base64url");
  if (key.length !== BYTES || key.toString("base64url") !== text.trim())
    throw new PlaybookError("PB_PLAN_KEY", [path, "it holds no such key"]);
  return key;
}

/** The key in a file; a new one where none is there yet. @throws PB_PLAN_KEY */
export async function readOrMakeKey(path: string): Promise<Uint8Array> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await using file = await open(path, "wx", 0o600);
    await file.writeFile(`${randomBytes(BYTES).toString("base64url")}\n`);
    await file.sync();
  } catch (error) {
    if (errnoCode(error) !== "EEXIST")
      throw new PlaybookError("PB_PLAN_KEY", [path, errnoText(error)], {}, { cause: error });
  }
  return readKey(path);
}

const BYTES = 32;
