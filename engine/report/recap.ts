import { leftLines } from "./left.ts";
import type { RunModel } from "./model.ts";
import { recapTable } from "./recap-table.ts";
import type { Colors } from "./renderer.ts";
import { elapsed, listed, oneLine } from "./text.ts";

/** The end of a run: hosts with their counts, what was left out, and how it ended in one sentence. */
export function recapLines(
  model: RunModel,
  { colors, columns }: { readonly colors: Colors; readonly columns: number },
): string[] {
  const { recap, started } = model;
  if (recap === undefined) return [];
  const leftOut = (started?.leftOut ?? []).map((what) => colors.dim(oneLine(what)));
  return [
    ...recapTable(recap.hosts, { colors, room: columns }),
    ...leftOut,
    ...leftLines(recap).map((line) => colors.yellow(line)),
    sentence(model, colors),
  ];
}

function sentence(model: RunModel, colors: Colors): string {
  const { recap, started } = model;
  if (recap === undefined) return "";
  const { exitCode, changed, ok, failed, unreachable, wouldChange, unknown } = recap;
  const counts = [
    `${ok} ok`,
    started?.mode === "check" ? `${wouldChange} would change` : `${changed} changed`,
    ...(unknown > 0 ? [`${unknown} unknown`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(unreachable > 0 ? [`${unreachable} unreachable`] : []),
  ].join(", ");
  const time = elapsed(recap.durationMs);
  const broken = [...new Set(model.inOrder(model.errors).flatMap(({ host }) => host ?? []))];
  const where = broken.length > 0 ? ` on ${oneLine(listed(broken, 4))}` : "";
  switch (exitCode) {
    case 0:
      return `${colors.green(colors.bold(started?.mode === "check" ? "nothing to change" : "converged"))} in ${time}: ${counts}`;
    case 3:
      return `${colors.yellow(colors.bold("changes pending"))} after ${time}: ${counts}`;
    case 4: {
      const opens = recap.stopped?.opens;
      const next =
        opens === undefined ? "" : `; it opens again on ${oneLine(opens)}: run it then to go on`;
      return `${colors.yellow(colors.bold("window closed"))} after ${time}: ${counts}${next}`;
    }
    case 130:
      return `${colors.yellow(colors.bold("interrupted"))} after ${time}: ${counts}${goOn(started)}`;
    default:
      return `${colors.red(colors.bold(`failed${where}`))} after ${time}: ${counts}${goOn(started)}`;
  }
}

const goOn = (started: RunModel["started"]): string =>
  started?.mode === "apply" ? `; run-playbook resume ${oneLine(started.id)} goes on` : "";
