import { redact } from "../dsl/secret.ts";
import type { RunEvent } from "./event.ts";
import type { Renderer, RenderOptions } from "./renderer.ts";

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

// JSON escapes C0 by itself; C1 and the marks that reorder text would reach a terminal as they are.
const toLine = (event: RunEvent): string =>
  JSON.stringify(ordered(event), (_, value: unknown) =>
    typeof value === "string" ? redact(value) : value,
  ).replace(
    /[\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

function ordered(event: RunEvent): RunEvent {
  if (event.type !== "recap") return event;
  const { type, changed, ok, failed, skipped, unreachable, exitCode, hosts, durationMs, ...more } =
    event;
  return { type, changed, ok, failed, skipped, unreachable, exitCode, hosts, durationMs, ...more };
}
