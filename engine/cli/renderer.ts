import pc from "picocolors";
import { JsonRenderer } from "../report/json.ts";
import { LinesRenderer } from "../report/lines.ts";
import type { Renderer } from "../report/renderer.ts";
import { wantsColor } from "./color.ts";
import { gathered } from "./gathered.ts";
import type { Io } from "./io.ts";
import type { CliOptions } from "./options.ts";

/** The renderer that the options ask for; listr2 and the comparison of files are loaded only where they are used. */
export async function pickRenderer(options: CliOptions, io: Io): Promise<Renderer> {
  const out = gathered(io.stdout);
  const diff = options.diff === true;
  const shared = {
    out,
    colors: pc.createColors(wantsColor(options.color, io.env, io.stdout)),
    verbose: options.verbose,
    diff,
    now: () => Date.now(),
  };
  // A tree needs a screen: without one its frames would be thousands of lines.
  const form = options.output ?? "tree";
  switch (form === "tree" && !isScreen(io) ? "lines" : form) {
    case "json":
      return new JsonRenderer(shared);
    case "lines":
      return new LinesRenderer(
        shared,
        diff ? (await import("../report/diff.ts")).diffLines : undefined,
      );
    case "tree": {
      const { TreeRenderer } = await import("../report/tree.ts");
      return new TreeRenderer({ ...shared, out: process.stdout });
    }
  }
}

const isScreen = ({ stdout, env }: Io): boolean => stdout.isTTY === true && env["TERM"] !== "dumb";
