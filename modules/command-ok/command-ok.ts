/** Whether a command succeeds: for conditions that no probe knows. */
import { z } from "zod";
import { defineProbe } from "#engine/index.ts";
import { Argv, Line } from "../params.ts";

export const commandOk = defineProbe({
  name: "command-ok",
  summary:
    "A command exits 0, and prints a given text. It is asked again and again: it must only look.",
  example: `use.commandOk({ argv: ["etcdctl", "endpoint", "health"], prints: "is healthy" })`,
  params: z.strictObject({
    argv: Argv,
    prints: Line.optional().describe("A text that standard output must hold."),
  }),

  async check(host, { argv, prints }) {
    const { code, stdout, stderr } = await host.run({ argv });
    const said = (stdout.trim() || stderr.trim()).split("\n").at(-1) ?? "";
    if (code !== 0)
      return { holds: false, saw: `${argv[0]} exited ${code}: ${lastLine(stderr) || said}` };
    const holds = prints === undefined || stdout.includes(prints);
    return { holds, saw: said || `${argv[0]} exited 0` };
  },
});

const lastLine = (text: string) => text.trim().split("\n").at(-1) ?? "";
