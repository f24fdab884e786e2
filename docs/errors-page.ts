import type { ErrorSpec } from "#engine/errors/spec.ts";

/** docs/errors.md: every code with what it says and what to do. */
export function errorsPage(catalog: Readonly<Record<string, ErrorSpec>>): string {
  const entries = Object.entries(catalog)
    .sort(([one], [other]) => one.localeCompare(other, "en"))
    .map(([code, spec]) => `## ${code}\n\n${messageOf(spec)}\n\n**What to do:** ${spec.hint}\n`);
  return [
    "# Errors",
    "",
    "Written by `npm run docs` from engine/errors/catalog. Codes are public and permanent. Words in ‹…› are filled in",
    "where the error arises. Each error also names the line of the playbook, the step, the host and the state in which",
    "things were left, as far as they are known. `PB_BUG` is none of these: it is a mistake in run-playbook or a module.",
    "",
    ...entries,
  ].join("\n");
}

// A message is a function: called with the names of its own parameters it shows where they go.
function messageOf(spec: ErrorSpec): string {
  const source = spec.message.toString();
  const names = (/^[^(]*\(([^)]*)\)/.exec(source)?.[1] ?? "")
    .split(",")
    .map((name) => name.replace(/[=:].*$/, "").trim())
    .filter((name) => name !== "");
  const say = spec.message as (...details: readonly unknown[]) => string;
  // A detail is mostly text and sometimes a list; which one only the call shows.
  for (let lists = 0; lists < 2 ** names.length; lists++) {
    const details = names.map((name, index) =>
      lists & (1 << index) ? [`‹${name}›`] : `‹${name}›`,
    );
    try {
      return escaped(say(...details));
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
  }
  throw new TypeError(`no placeholder fits the message ${source}`);
}

const escaped = (text: string): string => text.replace(/[<>*_]/g, "\\$&");
