import type { ShownError } from "./event.ts";
import { printError } from "./print.ts";
import type { Colors } from "./renderer.ts";
import { listed, oneLine, plural } from "./text.ts";

const MOST = 10;

/** Root causes as text; what failed in the same way on many hosts is told once, with their names. */
export function failureText(errors: readonly ShownError[], colors: Colors): string[] {
  const groups = new Map<string, ShownError[]>();
  for (const error of errors) {
    const key = JSON.stringify([error.code, error.step, error.at, withoutHost(error)]);
    groups.set(key, [...(groups.get(key) ?? []), error]);
  }
  const blocks = [...groups.values()].slice(0, MOST).map((group) => block(group, colors));
  if (groups.size > MOST) blocks.push(`and ${plural(groups.size - MOST, "failure")} more`);
  return blocks.flatMap((text, index) => (index === 0 ? [text] : ["", text]));
}

function block(group: readonly ShownError[], colors: Colors): string {
  const [first, ...rest] = group;
  if (first === undefined) return "";
  const text = printError(first, colors);
  const names = rest.flatMap(({ host }) => host ?? []);
  if (names.length === 0) return text;
  return `${text}\n  ${colors.bold("also:")} ${oneLine(listed(names, 12))}`;
}

function withoutHost({ message, host }: ShownError): string {
  return host === undefined ? message : message.replaceAll(host, "\0");
}
