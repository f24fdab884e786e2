import type { Colors } from "./renderer.ts";
import type { Span } from "./summary.ts";
import { cut, width } from "./text.ts";
import type { Icon, Line } from "./tree-lines.ts";

export interface Brush {
  readonly colors: Colors;
  readonly columns: number;
  /** The turning figure in front of what is at work. */
  readonly spin: string;
  /** False on terminals that cannot show more than ASCII. */
  readonly unicode: boolean;
}

const figures: Record<Exclude<Icon, "active" | "none">, readonly [fine: string, ascii: string]> = {
  ok: ["✔", "+"],
  changed: ["●", "*"],
  bad: ["✖", "x"],
  waiting: ["·", "."],
  skipped: ["↓", "-"],
  unknown: ["?", "?"],
};

/** A line of the tree as text, no wider than the terminal. */
export function paint(line: Line, brush: Brush): string {
  const { colors, columns } = brush;
  const indent = "  ".repeat(line.depth);
  const room = columns - 1 - indent.length - (line.icon === "none" ? 0 : 2);
  const right = line.right === "" ? 0 : line.right.length + 2;
  const spans = fitted(line.spans, Math.max(8, room - right));
  const used = spans.reduce((sum, { text }) => sum + width(text), 0);
  const gap = line.right === "" ? "" : " ".repeat(Math.max(2, room - used - line.right.length));
  const text = spans.map((span) => toned(span, colors)).join("");
  return `${indent}${icon(line.icon, brush)}${text}${gap}${colors.dim(line.right)}`;
}

function fitted(spans: readonly Span[], room: number): Span[] {
  const kept: Span[] = [];
  let left = room;
  for (const span of spans) {
    const text = cut(span.text, left);
    kept.push({ ...span, text });
    left -= width(text);
    if (text !== span.text || left <= 0) break;
  }
  return kept;
}

function icon(name: Icon, { colors, spin, unicode }: Brush): string {
  if (name === "none") return "";
  if (name === "active") return `${colors.cyan(spin)} `;
  const figure = figures[name][unicode ? 0 : 1];
  if (name === "ok") return `${colors.green(figure)} `;
  if (name === "changed") return `${colors.yellow(figure)} `;
  if (name === "bad") return `${colors.red(figure)} `;
  return `${colors.dim(figure)} `;
}

function toned({ text, tone }: Span, colors: Colors): string {
  switch (tone) {
    case "plain":
      return text;
    case "dim":
      return colors.dim(text);
    case "good":
      return colors.green(text);
    case "changed":
      return colors.yellow(text);
    case "bad":
      return colors.red(text);
    case "active":
      return colors.cyan(text);
  }
}
