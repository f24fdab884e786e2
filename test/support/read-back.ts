/** Files and standard input as their readers take them: the scalars in them, of whatever type they are to the reader. */
import { parse as parseToml } from "smol-toml";
import { parseAllDocuments } from "yaml";

export interface Written {
  /** Empty for what a program reads from its standard input. */
  readonly path: string;
  readonly text: string;
}

/** The scalars in order of their text, keys too; undefined where nobody but a program of its own knows the language. */
export function readBack({ path, text }: Written): unknown[] | undefined {
  const values = meaningOf(path, text);
  return values?.toSorted((a, b) => order(a).localeCompare(order(b)));
}

const order = (value: unknown): string => `${typeof value} ${String(value)}`;

function meaningOf(path: string, text: string): unknown[] | undefined {
  if (/\.ya?ml$/.test(path) || (path === "" && /^\{|^apiVersion:/m.test(text))) return yaml(text);
  if (path.endsWith(".toml")) return scalarsOf(parseToml(text));
  if (/\/systemd\/.*\.(conf|service|timer)$/.test(path)) return unit(text);
  if (/\/sysctl\.d\//.test(path)) return settings(text);
  if (path === "" || text.startsWith("#!") || /\.(json|conflist)$/.test(path))
    return path === "" || text.startsWith("#!") ? undefined : scalarsOf(JSON.parse(text));
  // In deb822 only a whole line is a comment (sources.list(5)).
  if (path.endsWith(".sources")) return text.split(/\s+/);
  return words(text);
}

// The grammar of YAML 1.1 takes the most words for something else than text, and most readers are of it.
const yaml = (text: string) =>
  parseAllDocuments(text, { version: "1.1" }).flatMap((document) => {
    if (!("toJS" in document) || document.errors.length > 0) throw new Error(`no YAML: ${text}`);
    return scalarsOf(document.toJS({ mapAsMap: true }));
  });

function scalarsOf(value: unknown): unknown[] {
  if (value instanceof Map) return [...value].flatMap(scalarsOf);
  if (Array.isArray(value)) return value.flatMap(scalarsOf);
  if (value instanceof Date) return [value];
  if (typeof value === "object" && value !== null) return Object.entries(value).flatMap(scalarsOf);
  return [value];
}

/** systemd.syntax(7): comments, lines that go on, specifiers; and what systemd.service(5) says of `$`. */
const unit = (text: string) =>
  text
    .replaceAll(/\\\n/g, " ")
    .split("\n")
    .filter((line) => !/^\s*([#;]|$)/.test(line))
    .flatMap((line) => line.split(/\s+/))
    .map((word) => (/(?<!%)(?:%%)*%(?!%)|(?<!\$)(?:\$\$)*\$\{?\w/.test(word) ? { word } : word));

/** sysctl.d(5): comments, a dash that lets a setting fail, the first equals sign. */
const settings = (text: string) =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => !/^([#;]|$)/.test(line))
    .flatMap((line) => {
      const [key = "", ...value] = line.split("=");
      return [key.trim(), value.join("=").trim()];
    });

/** Words on lines, a comment behind `#`. */
const words = (text: string) =>
  text.split("\n").flatMap((line) => line.replace(/#.*/, "").split(/\s+/).filter(Boolean));
