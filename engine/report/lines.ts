import type { RunEvent, ShownChange } from "./event.ts";
import { failureText } from "./failures.ts";
import { RunModel } from "./model.ts";
import { recapLines } from "./recap.ts";
import type { Renderer, RenderOptions } from "./renderer.ts";
import { elapsed, oneLine, plural } from "./text.ts";

type Finished = Extract<RunEvent, { type: "node-finished" }>;
type DiffLines = typeof import("./diff.ts").diffLines;

/** Plain lines for logs and pipes: "step host outcome", one for each event that is worth it, in the order of time. */
export class LinesRenderer implements Renderer {
  readonly #model = new RunModel();
  readonly #options: RenderOptions;
  readonly #diffLines: DiffLines | undefined;
  #lastSaw = new Map<string, string>();

  /** `diffLines` is given when differences are to be shown. */
  constructor(options: RenderOptions, diffLines?: DiffLines) {
    this.#options = options;
    this.#diffLines = diffLines;
  }

  emit(event: RunEvent): void {
    this.#model.apply(event);
    for (const line of this.#lines(event)) this.#options.out.write(`${line}\n`);
  }

  note(message: string): void {
    this.#options.out.write(`${message}\n`);
  }

  async end(): Promise<void> {
    const { colors, out } = this.#options;
    for (const part of [
      recapLines(this.#model, { colors, columns: out.columns ?? 80 }),
      failureText(this.#model.inOrder(this.#model.errors), colors),
    ])
      if (part.length > 0) out.write(`\n${part.join("\n")}\n`);
  }

  #lines(event: RunEvent): string[] {
    const { verbose, colors } = this.#options;
    switch (event.type) {
      case "run-started":
        return started(event);
      case "host-connected":
        return verbose > 1 ? [`connected ${oneLine(event.host)} (${elapsed(event.ms)})`] : [];
      case "host-unreachable":
        return [colors.red(`${oneLine(event.host)} unreachable: ${oneLine(event.error.message)}`)];
      case "node-started":
        return verbose > 1 ? [`${place(event)} started`] : [];
      case "node-waiting":
        return this.#isNew(event)
          ? [colors.dim(`${place(event)} waiting: ${oneLine(event.saw)}`)]
          : [];
      case "change":
        return this.#changeLines(event);
      case "node-finished":
        return [this.#finished(event)];
      case "recap":
        return [];
    }
  }

  // A gate looks every second and mostly sees the same.
  #isNew({ step, host, saw }: Extract<RunEvent, { type: "node-waiting" }>): boolean {
    const key = `${step}\0${host}`;
    const isNew = this.#lastSaw.get(key) !== saw;
    this.#lastSaw.set(key, saw);
    return isNew || this.#options.verbose > 1;
  }

  #changeLines(event: { step: string; host: string; change: ShownChange }): string[] {
    const { verbose, colors } = this.#options;
    const { say, diff } = event.change;
    const file = diff === undefined ? [] : (this.#diffLines?.(diff, colors) ?? []);
    const isShown = verbose > 0 || file.length > 0 || this.#model.started?.mode === "check";
    return isShown ? [`${place(event)}: ${oneLine(say)}`, ...file] : [];
  }

  #finished(event: Finished): string {
    const { colors } = this.#options;
    const why = event.why === undefined ? "" : ` (${oneLine(event.why)})`;
    const changes =
      event.changes > 0 ? ` (${plural(event.changes, "change")}, ${elapsed(event.ms)})` : "";
    const error = event.error === undefined ? "" : `: ${oneLine(event.error.message)}`;
    const line = `${place(event)} ${event.outcome}${changes}${why}${error}`;
    switch (event.outcome) {
      case "failed":
      case "unreachable":
        return colors.red(line);
      case "changed":
      case "would-change":
        return colors.yellow(line);
      case "ok":
      case "skipped":
      case "unknown":
      case "cannot-tell":
        return line;
    }
  }
}

function started(event: Extract<RunEvent, { type: "run-started" }>): string[] {
  const { playbook, mode, steps, lasting = [] } = event;
  const hosts = new Set(steps.flatMap((step) => step.hosts)).size;
  const how = mode === "check" ? " --check" : "";
  return [
    `${oneLine(playbook)}${how}: ${plural(steps.length, "step")} on ${plural(hosts, "host")}`,
    ...lasting.map(oneLine),
  ];
}

const place = ({ step, host }: { step: string; host: string }): string =>
  `${oneLine(step)} ${oneLine(host)}`;
