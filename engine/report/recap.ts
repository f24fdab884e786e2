import type { Counts } from "./event.ts";
import type { RunModel } from "./model.ts";
import type { Colors } from "./renderer.ts";
import { cut, elapsed, listed, oneLine, pad, plural } from "./text.ts";

const FEW_HOSTS = 16;

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

/** The end of a run: a row per host while they are few, then how it ended in one sentence. */
export function recapLines(
  model: RunModel,
  { colors, columns: room }: { readonly colors: Colors; readonly columns: number },
): string[] {
  const { recap, started } = model;
  if (recap === undefined) return [];
  const leftOut = (started?.leftOut ?? []).map((what) => colors.dim(`left out: ${oneLine(what)}`));
  return [...table(recap.hosts, { colors, columns: room }), ...leftOut, sentence(model, colors)];
}

function table(
  hosts: Readonly<Record<string, Counts>>,
  { colors, columns: room }: { readonly colors: Colors; readonly columns: number },
): string[] {
  const all = Object.entries(hosts);
  const used = columns.filter(([key]) => all.some(([, counts]) => counts[key] > 0));
  const rows =
    all.length <= FEW_HOSTS
      ? all
      : all.filter(([, { failed, unreachable }]) => failed + unreachable > 0);
  const shown = rows.slice(0, FEW_HOSTS);
  const first = Math.min(
    Math.max(16, room - used.reduce((sum, [, title]) => sum + title.length + 2, 1)),
    Math.max(
      4,
      ...shown.map(([name]) => oneLine(name).length),
      ...folds(all, shown).map(({ length }) => length),
    ),
  );
  if (all.length === 0) return [];
  const cells = (name: string, of: (column: Column) => string) =>
    `${pad(cut(name, first), first)}${used.map((column) => `  ${of(column)}`).join("")}`;
  const row = (name: string, counts: Counts) =>
    cells(name, (column) => cell(column, counts, colors));
  const folded = folds(all, shown);
  return [
    colors.dim(cells("host", ([, title]) => title)),
    ...shown.map(([name, counts]) => row(oneLine(name), counts)),
    ...folded.map((name) => row(name, total(all.filter((host) => !shown.includes(host))))),
  ];
}

const folds = (all: readonly unknown[], shown: readonly unknown[]): string[] =>
  all.length === shown.length
    ? []
    : [`${shown.length > 0 ? "other " : ""}${plural(all.length - shown.length, "host")}`];

function total(hosts: readonly (readonly [string, Counts])[]): Counts {
  const add = (key: keyof Counts) => hosts.reduce((sum, [, counts]) => sum + counts[key], 0);
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

function cell([key, title, tone]: Column, counts: Counts, colors: Colors): string {
  const value = String(counts[key]).padStart(title.length);
  if (counts[key] === 0) return colors.dim(value);
  if (tone === "bad") return colors.red(value);
  return tone === "changed" ? colors.yellow(value) : value;
}

function sentence({ recap, started, errors }: RunModel, colors: Colors): string {
  if (recap === undefined) return "";
  const { exitCode, changed, ok, failed, unreachable, wouldChange, unknown, skipped } = recap;
  const counts = [
    `${ok} ok`,
    started?.mode === "check" ? `${wouldChange} would change` : `${changed} changed`,
    ...(unknown > 0 ? [`${unknown} unknown`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(unreachable > 0 ? [`${unreachable} unreachable`] : []),
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
  ].join(", ");
  const time = elapsed(recap.durationMs);
  const broken = [...new Set(errors.flatMap(({ host }) => host ?? []))];
  const where = broken.length > 0 ? ` on ${oneLine(listed(broken, 4))}` : "";
  switch (exitCode) {
    case 0:
      return `${colors.green(colors.bold(started?.mode === "check" ? "nothing to change" : "converged"))} in ${time}: ${counts}`;
    case 3:
      return `${colors.yellow(colors.bold("changes pending"))} after ${time}: ${counts}`;
    case 130:
      return `${colors.yellow(colors.bold("interrupted"))} after ${time}: ${counts}; run it again to go on`;
    default:
      return `${colors.red(colors.bold(`failed${where}`))} after ${time}: ${counts}`;
  }
}
