import { redact } from "../dsl/masking.ts";
import type { RunEvent } from "./event.ts";
import type { Renderer, RenderOptions } from "./renderer.ts";
import { withoutControls } from "./text.ts";

/** For programs: every event on one line, the recap last. */
export class JsonRenderer implements Renderer {
  readonly #out: RenderOptions["out"];

  constructor({ out }: Pick<RenderOptions, "out">) {
    this.#out = out;
  }

  emit(event: RunEvent): void {
    this.#out.write(`${toLine(event)}\n`);
  }

  note(): void {
    // Words for an operator have no place among events; the exit code of the recap says the same.
  }

  async end(): Promise<void> {}
}

// JSON escapes C0 by itself; the rest of what drives a terminal would reach it as it is.
const toLine = (event: RunEvent): string =>
  withoutControls(
    JSON.stringify(ordered(event), (_, value: unknown) =>
      typeof value === "string" ? redact(value) : value,
    ),
    (char) =>
      Array.from({ length: char.length }, (_, at) => char.charCodeAt(at))
        .map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`)
        .join(""),
  );

function ordered(event: RunEvent): RunEvent {
  if (event.type !== "recap") return event;
  const { type, changed, ok, failed, skipped, unreachable, exitCode, hosts, durationMs, ...more } =
    event;
  return { type, changed, ok, failed, skipped, unreachable, exitCode, hosts, durationMs, ...more };
}
