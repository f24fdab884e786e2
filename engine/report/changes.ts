import type { HostChange, RunModel } from "./model.ts";
import type { Colors } from "./renderer.ts";
import { listed, oneLine } from "./text.ts";

/** The changes of a run by step, the same change on several hosts told once; with `diff` the files' differences too. */
export async function changeLines(
  model: RunModel,
  { colors, diff }: { readonly colors: Colors; readonly diff: boolean },
): Promise<string[]> {
  const steps = new Map<string, Map<string, HostChange[]>>();
  for (const change of model.changes) {
    const step = steps.get(change.step) ?? new Map<string, HostChange[]>();
    const key = JSON.stringify([change.change.say, change.change.diff]);
    step.set(key, [...(step.get(key) ?? []), change]);
    steps.set(change.step, step);
  }
  // Loaded only where a difference is shown: it would cost every start otherwise.
  const shown = diff ? (await import("./diff.ts")).diffLines : undefined;
  const lines: string[] = [];
  for (const [label, same] of steps) {
    lines.push(colors.bold(oneLine(label)));
    for (const group of same.values()) {
      const [first] = group;
      if (first === undefined) continue;
      const hosts = oneLine(
        listed(
          model.inOrder(group).map(({ host }) => host),
          4,
        ),
      );
      lines.push(`  ${colors.cyan(hosts)}  ${oneLine(first.change.say)}`);
      const { diff: file } = first.change;
      if (shown !== undefined && file !== undefined)
        lines.push(...shown(file, colors).map((line) => `    ${line}`));
    }
  }
  return lines;
}
