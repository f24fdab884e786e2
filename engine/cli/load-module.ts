import { relative } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { isPlaybookError, PlaybookError } from "../errors/error.ts";
import { packageRoot } from "./package-root.ts";
import { resolveOwnPackage } from "./resolve-hook.ts";

const LOAD_SECONDS = 30;

/** Imports a user's file by Node's own type stripping; whatever goes wrong names the file and line to look at. */
export async function loadModule(
  path: string,
  { cwd, seconds = LOAD_SECONDS }: { readonly cwd: string; readonly seconds?: number },
): Promise<Readonly<Record<string, unknown>>> {
  resolveOwnPackage();
  const shown = relative(cwd, path) || path;
  const over = new AbortController();
  const deadline = wait(seconds * 1000, "late" as const, { signal: over.signal });
  // Aborted below on purpose; nothing else makes it reject.
  deadline.catch(() => undefined);
  try {
    const loaded = await Promise.race([import(pathToFileURL(path).href), deadline]);
    if (loaded === "late")
      throw new PlaybookError("PB_PLAYBOOK_STUCK", [shown, seconds], { at: shown });
    return loaded;
  } catch (error) {
    throw explained(error, shown, cwd);
  } finally {
    over.abort();
  }
}

function explained(error: unknown, shown: string, cwd: string): PlaybookError {
  if (isPlaybookError(error)) return error.with({ at: placeIn(error, cwd) ?? shown });
  const why = messageOf(error);
  const at = placeIn(error, cwd) ?? shown;
  const cause = { cause: error };
  if (error instanceof SyntaxError)
    return new PlaybookError(
      "PB_PLAYBOOK_SYNTAX",
      [shown, why],
      { at, ...frame(error), ...hint(why) },
      cause,
    );
  return new PlaybookError("PB_PLAYBOOK_THREW", [shown, why], { at, ...hint(why) }, cause);
}

const messageOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replace(/\.$/, "");

/** The user's file and line in an error's stack: the first that is neither Node's nor ours. */
function placeIn(error: unknown, cwd: string): string | undefined {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  // A syntax error leads with its place and shows the code there; Node's own frames follow.
  const places = stack.matchAll(/(file:\/\/\/[^\s():]+|\/[^\s():]+\.[cm]?[jt]s):(\d+)/g);
  for (const [, where = "", line] of places) {
    const path = where.startsWith("file:") ? fileURLToPath(where) : where;
    const isOurs = ["engine", "modules", "lab", "dist", "node_modules"].some((folder) =>
      path.startsWith(`${packageRoot}/${folder}/`),
    );
    if (!isOurs) return `${relative(cwd, path)}:${line}`;
  }
  return undefined;
}

/** The lines of code that a syntax error shows. */
function frame(error: SyntaxError): { output?: readonly string[] } {
  const [first = "", ...rest] = (error.stack ?? "").split("\n");
  const end = rest.indexOf("");
  if (!/:\d+$/.test(first) || end < 1) return {};
  return { output: rest.slice(0, end) };
}

function hint(why: string): { hint?: string } {
  const [, name] = /Cannot find package '([^']+)'/.exec(why) ?? [];
  if (name !== undefined)
    return { hint: `Install it beside the playbook (npm install ${name}), or drop the import.` };
  if (/Cannot find module/.test(why))
    return {
      hint: "Look at the path of that import: it is relative to the file, and ends in .ts.",
    };
  if (/does not provide an export named/.test(why))
    return { hint: "Look at the spelling of that import; an editor shows what there is." };
  return {};
}
