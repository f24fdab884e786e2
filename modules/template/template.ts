/** A file that is rendered from a template on the control machine. */
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { defineModule, holdsSecret, PlaybookError } from "#engine/index.ts";
import { compileTemplate } from "#engine/template/template.ts";
import { keepAway, keepFile, readManaged } from "../managed-file.ts";
import { Account, Content, FileMode, FilePath, State } from "../params.ts";
import { undoFiles } from "../undo-file.ts";

export const template = defineModule({
  name: "template",
  summary:
    "Keep a file as a Handlebars template renders it; a variable that is not given is an error.",
  example: `use.template({
  path: "/etc/motd",
  text: "This is {{name}}.\\n",
  values: { name: "w1" },
})`,

  params: z
    .strictObject({
      path: FilePath.describe("Where the rendered file is; missing parents are made."),
      source: z
        .string()
        .min(1)
        .optional()
        .describe(
          "The template's path on the control machine; relative ones start in the folder that run-playbook was called in.",
        ),
      text: Content.optional().describe("In place of `source`: the template itself."),
      values: z
        .record(z.string(), z.unknown())
        .default({})
        .describe("The variables; null for none. A secret among them makes the file a secret."),
      mode: FileMode,
      owner: Account.default("root").describe("Its owner."),
      group: Account.optional().describe("Its group; the owner's name unless given."),
      state: State,
    })
    .refine((want) => (want.source === undefined) !== (want.text === undefined), {
      message: "expected either source or text",
    }),

  async read(host, want) {
    const [file, text] = await Promise.all([
      readManaged(host, want.path),
      want.text ?? readTemplate(want.source ?? ""),
    ]);
    return { file, text };
  },

  *diff(now, want) {
    if (want.state === "absent") {
      yield* keepAway(now.file, want.path);
      return;
    }
    const name = want.source ?? `template of ${want.path}`;
    const content = compileTemplate(name, now.text)(want.values);
    yield* keepFile(now.file, { ...want, content });
  },

  *undo(before, now, { path, values }) {
    const secret = holdsSecret(values);
    yield* undoFiles({ path, before: before.file, now: now.file, secret });
  },
});

async function readTemplate(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new PlaybookError("PB_LOCAL_FILE", [path, why], {}, { cause: error });
  }
}
