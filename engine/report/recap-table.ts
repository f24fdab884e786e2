import type { Counts } from "./event.ts";
import type { Colors } from "./renderer.ts";
import { cut, oneLine, pad, plural } from "./text.ts";

const FEW_HOSTS = 16;

interface Row {
  readonly name: string;
  readonly counts: Counts;
}

type Column = readonly [key: keyof Counts, title: string, tone: "plain" | "changed" | "bad"];

const columns: readonly Column[] = [
  ["ok", "ok", "plain"],
  ["changed", "changed", "changed"],
  ["wouldChange", "would change", "changed"],
  ["unknown", "unknown", "plain"],
  ["skipped", "skipped", "plain"],
  ["failed", "failed", "bad"],
  ["unreachable", "unreachable", "bad"],
];

/** A row per host while they are few, else one for each that failed and one for all others together. */
export function recapTable(
  hosts: Readonly<Record<string, Counts>>,
  { colors, room }: { readonly colors: Colors; readonly room: number },
): string[] {
  const rows = rowsOf(
    Object.entries(hosts).map(([name, counts]) => ({ name: oneLine(name), counts })),
  );
  if (rows.length === 0) return [];
  const used = columns
    .filter(([key]) => rows.some(({ counts }) => counts[key] > 0))
    .map(([key, title, tone]) => ({
      key,
      title,
      tone,
      size: Math.max(title.length, ...rows.map(({ counts }) => String(counts[key]).length)),
    }));
  const taken = used.reduce((sum, { size }) => sum + size + 2, 1);
  const longest = Math.max(4, ...rows.map(({ name }) => name.length));
  const first = Math.min(longest, Math.max(16, room - taken));
  const line = (name: string, cells: readonly string[]) =>
    [pad(cut(name, first), first), ...cells].join("  ");
  return [
    colors.dim(
      line(
        "host",
        used.map(({ title, size }) => title.padStart(size)),
      ),
    ),
    ...rows.map(({ name, counts }) =>
      line(
        name,
        used.map(({ key, tone, size }) => toned(counts[key], size, { tone, colors })),
      ),
    ),
  ];
}

function rowsOf(all: readonly Row[]): Row[] {
  if (all.length <= FEW_HOSTS) return [...all];
  const shown = all
    .filter(({ counts }) => counts.failed + counts.unreachable > 0)
    .slice(0, FEW_HOSTS);
  const rest = all.filter((row) => !shown.includes(row));
  const name = `${shown.length > 0 ? "other " : ""}${plural(rest.length, "host")}`;
  return [...shown, { name, counts: total(rest) }];
}

function total(rows: readonly Row[]): Counts {
  const add = (key: keyof Counts) => rows.reduce((sum, { counts }) => sum + counts[key], 0);
  return {
    ok: add("ok"),
    changed: add("changed"),
    failed: add("failed"),
    skipped: add("skipped"),
    unreachable: add("unreachable"),
    wouldChange: add("wouldChange"),
    unknown: add("unknown"),
  };
}

function toned(
  count: number,
  size: number,
  { tone, colors }: { readonly tone: Column[2]; readonly colors: Colors },
): string {
  const value = String(count).padStart(size);
  if (count === 0) return colors.dim(value);
  if (tone === "bad") return colors.red(value);
  return tone === "changed" ? colors.yellow(value) : value;
}
