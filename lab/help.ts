/** What `--help` of a lab command ends with. */
export const examples = (...lines: string[]): string =>
  `\nExamples:\n${lines.map((line) => `  $ run-playbook ${line}\n`).join("")}`;
