import {
  DefaultRenderer,
  isUnicodeSupported,
  Listr,
  ListrLogger,
  ProcessOutput,
  Spinner,
} from "listr2";
import { changeLines } from "./changes.ts";
import type { RunEvent } from "./event.ts";
import { failureText } from "./failures.ts";
import { RunModel } from "./model.ts";
import { recapLines } from "./recap.ts";
import type { Renderer, RenderOptions } from "./renderer.ts";
import { oneLine } from "./text.ts";
import { layout } from "./tree-layout.ts";
import { paint } from "./tree-paint.ts";

type Terminal = NodeJS.WriteStream;

/** A live tree of phases, steps and hosts on a terminal; then changes, recap and failures below it. */
export class TreeRenderer implements Renderer {
  readonly #model: RunModel;
  readonly #options: RenderOptions & { readonly out: Terminal };
  readonly #spinner = new Spinner();
  #note: string | undefined;
  #over: (() => void) | undefined;
  #drawn: Promise<unknown> | undefined;

  constructor(options: RenderOptions & { readonly out: Terminal }) {
    this.#options = options;
    this.#model = new RunModel(options.diff ? "all" : "words");
  }

  emit(event: RunEvent): void {
    this.#model.apply(event);
    if (event.type === "run-started") {
      for (const what of event.lasting ?? []) this.#options.out.write(`${oneLine(what)}\n`);
      this.#drawn = this.#draw();
    }
    if (event.type === "recap") this.#over?.();
  }

  note(message: string): void {
    if (this.#over === undefined) this.#options.out.write(`${message}\n`);
    else this.#note = message;
  }

  async end(): Promise<void> {
    this.#over?.();
    await this.#drawn;
    const { out, colors, diff, verbose } = this.#options;
    const model = this.#model;
    const isCheck = model.started?.mode === "check";
    const parts = [
      isCheck || diff || verbose > 0 ? await changeLines(model, { colors, diff }) : [],
      recapLines(model, { colors, columns: out.columns ?? 80 }),
      failureText(model.inOrder(model.errors), colors),
    ];
    for (const part of parts) if (part.length > 0) out.write(`\n${part.join("\n")}\n`);
  }

  // listr2 knows one task, the run; what it is to draw is made from the events, so that it fits the screen.
  #draw(): Promise<unknown> {
    const frame = (final: boolean) => this.#frame(final);
    let final = false;
    const over = new Promise<void>((resolve) => {
      this.#over = () => {
        final = true;
        resolve();
      };
    });
    class Frames extends DefaultRenderer {
      override create(): string {
        return frame(final);
      }
    }
    const logger = new ListrLogger({
      useIcons: true,
      processOutput: new ProcessOutput(this.#options.out, undefined, { leaveEmptyLine: false }),
    });
    return new Listr([{ title: "run", task: () => over }], {
      renderer: Frames,
      rendererOptions: { logger, spinner: this.#spinner },
      fallbackRendererCondition: false,
      registerSignalListeners: false,
    }).run();
  }

  #frame(final: boolean): string {
    const { out, colors, now } = this.#options;
    // The terminal keeps one row for the cursor below the frame.
    // A sentence a line: what wraps would make the frame taller than the screen.
    const sentences = final ? [] : (this.#note?.split(/(?<=\.) /) ?? []);
    const note = sentences.length === 0 ? [] : ["", ...sentences.map(colors.yellow)];
    const rows = final ? Number.POSITIVE_INFINITY : (out.rows ?? 24) - 1 - note.length;
    const brush = {
      colors,
      columns: out.columns ?? 80,
      spin: this.#spinner.fetch(),
      unicode: isUnicodeSupported(),
    };
    const lines = layout(this.#model, { now: now(), rows, final });
    return [...lines.map((line) => paint(line, brush)), ...note].join("\n");
  }
}
