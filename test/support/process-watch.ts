import { readdirSync, readFileSync } from "node:fs";

/**
 * Looks at the arguments and the environment of every process of this machine, lab hosts' included, until it is
 * disposed. What matches is kept as "program: the match".
 */
export class ProcessWatch implements Disposable {
  readonly seen = new Set<string>();
  readonly #patterns: readonly RegExp[];
  readonly #timer: NodeJS.Timeout;
  #looks = 0;

  constructor(patterns: readonly RegExp[], everyMs = 100) {
    this.#patterns = patterns;
    this.#timer = setInterval(() => this.#look(), everyMs);
  }

  /** How often it looked: a watch that never looked has proved nothing. */
  get looks(): number {
    return this.#looks;
  }

  #look(): void {
    this.#looks += 1;
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name)))
      for (const what of ["cmdline", "environ"]) this.#search(contentOf(`/proc/${pid}/${what}`));
  }

  #search(text: string): void {
    for (const pattern of this.#patterns) {
      const found = pattern.exec(text);
      if (found) this.seen.add(`${text.split("\0")[0]}: ${found[0]}`);
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

// Processes come and go while they are looked at.
function contentOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ESRCH" || code === "EACCES") return "";
    throw error;
  }
}
