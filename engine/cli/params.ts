import { PlaybookError } from "../errors/error.ts";

/** `--param name=value` as given: text; the playbook's schema types it. */
export function parseParams(given: readonly string[]): Record<string, string> {
  const params = new Map<string, string>();
  for (const param of given) {
    const at = param.indexOf("=");
    const name = param.slice(0, Math.max(0, at)).trim();
    if (name === "")
      throw new PlaybookError("PB_USAGE", [`--param ${param} is not of the form name=value.`]);
    if (params.has(name)) throw new PlaybookError("PB_USAGE", [`--param ${name} is given twice.`]);
    params.set(name, param.slice(at + 1));
  }
  return Object.fromEntries(params);
}
