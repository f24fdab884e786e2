import { isPlaybookError } from "#engine/errors/error.ts";
import { labCommand } from "./cli.ts";

try {
  await labCommand().parseAsync();
} catch (error) {
  if (!isPlaybookError(error)) throw error;
  const { code, message, hint, context } = error;
  const output = (context.output ?? []).map((line) => `  | ${line}\n`).join("");
  process.stderr.write(`${code}  ${message}\n${output}  hint: ${hint}\n`);
  process.exitCode = 1;
}
