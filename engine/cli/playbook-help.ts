import type { Playbook } from "../dsl/playbook.ts";
import type { WindowOptions } from "../dsl/window.ts";
import { fieldsOf } from "./schema-fields.ts";

/** What a playbook does and takes, for `run-playbook PLAYBOOK --help`. */
export function playbookHelp(name: string, { name: title, options }: Playbook): string {
  const fields = options.params === undefined ? [] : fieldsOf(options.params);
  const size = Math.max(0, ...fields.map(({ path }) => path.length));
  const params = fields.map(({ path, type, fallback, description }) => {
    const facts = [type, fallback === undefined ? "required" : `default ${fallback}`].join(", ");
    return `  ${path.padEnd(size)}  ${description === "" ? facts : `${description} (${facts})`}`;
  });
  const groups = options.groups ?? Object.keys(options.inventory?.groups ?? {});
  return [
    `${title}${options.summary === undefined ? "" : `: ${options.summary}`}`,
    "",
    `Usage: run-playbook ${name} [options]`,
    ...(params.length > 0 ? ["", "Parameters (--param NAME=VALUE):", ...params] : []),
    ...(groups.length > 0 ? ["", `Groups of the inventory: ${groups.join(", ")}`] : []),
    ...(options.window === undefined ? [] : ["", `Window: ${shown(options.window)}`]),
    ...(options.confirm === undefined
      ? []
      : ["", "It asks before it touches anything; --yes answers."]),
    "",
    "`run-playbook --help` lists the options that all playbooks take.",
    "",
  ].join("\n");
}

const shown = ({ days = [], from, to, timeZone = "local time" }: WindowOptions): string =>
  [...(days.length > 0 ? [days.join(", ")] : []), `${from}-${to}`, timeZone].join(" ");
