import { type Field, fieldsOf } from "#engine/cli/schema-fields.ts";
import type { ModuleSpec, ProbeSpec } from "#engine/dsl/module.ts";

/** docs/modules/<name>.md: a module or probe as its own schema describes it. */
export function modulePage(spec: ModuleSpec | ProbeSpec): string {
  const outputs = "outputs" in spec && spec.outputs !== undefined ? fieldsOf(spec.outputs) : [];
  const params = fieldsOf(spec.params);
  return [
    `# ${spec.name}`,
    "",
    spec.summary,
    "",
    "check" in spec
      ? "A condition for a gate's `until`."
      : `For a step's \`ensure\`. ${undoSentence(spec)}`,
    "",
    ...(params.length === 0 ? ["It takes no params.", ""] : paramsTable(params)),
    ...(outputs.length === 0 ? [] : outputsTable(outputs)),
    ...(spec.example === undefined
      ? []
      : ["## Example", "", "```ts", spec.example.trim(), "```", ""]),
  ].join("\n");
}

function undoSentence({ undo, lasting }: ModuleSpec): string {
  if (undo !== undefined) return "What it changed can be undone.";
  return lasting === undefined
    ? "It has no undo: what it changed stays."
    : `What it changed stays: ${lasting}.`;
}

const paramsTable = (fields: readonly Field[]): string[] => [
  "## Params",
  "",
  "| name | type | default | description |",
  "| --- | --- | --- | --- |",
  ...fields.map(
    ({ path, type, fallback, description }) =>
      `| \`${path}\` | ${cell(type)} | ${fallback === undefined ? "required" : code(fallback)} | ${cell(description)} |`,
  ),
  "",
];

const outputsTable = (fields: readonly Field[]): string[] => [
  "## Outputs",
  "",
  "| name | type | description |",
  "| --- | --- | --- |",
  ...fields.map(
    ({ path, type, description }) => `| \`${path}\` | ${cell(type)} | ${cell(description)} |`,
  ),
  "",
];

const cell = (text: string): string => text.replaceAll("|", "\\|").replace(/\s+/g, " ");
const code = (text: string): string => (text === "none" ? "" : `\`${cell(text)}\``);
