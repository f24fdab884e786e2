import { z } from "zod";
import { run, writeFile } from "#engine/dsl/change.ts";
import { defineModule } from "#engine/dsl/module.ts";
import { PlaybookError } from "#engine/errors/error.ts";
import { sh } from "#engine/host/command.ts";

/** How a scripted node goes: converged, in need of a change, failing in its change or in its read. */
export type Act = "ok" | "change" | "fail" | "fail-read" | "bug";

/** A module whose every node does what the test says, and that writes down who began and who ended. */
export function scripted(
  acts: (host: string, name: string) => Act | Promise<Act> = () => "change",
) {
  const log: string[] = [];
  const flight = { now: 0, most: 0 };
  const module = defineModule({
    name: "scripted",
    summary: "Does what the test says.",
    params: z.strictObject({ name: z.string().default("step"), input: z.unknown().optional() }),
    outputs: z.object({ host: z.string(), input: z.unknown() }),
    async read(host, { name, input }) {
      const id = `${name}@${host.name}`;
      const changed = (await host.readFile(doneBy(name))) !== undefined;
      if (changed) return { host: host.name, name, input, act: "ok" as Act };
      log.push(`begin ${id}`);
      flight.now += 1;
      flight.most = Math.max(flight.most, flight.now);
      try {
        const act = await acts(host.name, name);
        if (act === "bug") throw new RangeError("index out of range");
        if (act === "fail-read") throw new PlaybookError("PB_COMMAND_FAILED", ["look", 1, "no"]);
        return { host: host.name, name, input, act };
      } finally {
        flight.now -= 1;
        log.push(`end ${id}`);
      }
    },
    *diff({ act, name }) {
      if (act === "change") yield writeFile(doneBy(name), "", { say: "make it so" });
      if (act === "fail") yield run(sh`false`, "try it");
    },
  });
  return { module, log, flight, begun: () => log.flatMap((line) => line.split("begin ")[1] ?? []) };
}

const doneBy = (name: string) => `/etc/done-${name}`;

/** Promises by name that the test keeps when it likes. */
export class Promises<T> {
  readonly #made = new Map<string, PromiseWithResolvers<T>>();

  of(name: string): Promise<T> {
    return this.#get(name).promise;
  }

  keep(name: string, value: T): void {
    this.#get(name).resolve(value);
  }

  #get(name: string): PromiseWithResolvers<T> {
    const made = this.#made.get(name) ?? Promise.withResolvers<T>();
    this.#made.set(name, made);
    return made;
  }
}
