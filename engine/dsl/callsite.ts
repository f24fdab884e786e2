import { dirname, relative } from "node:path";
import { fileURLToPath } from "node:url";

const ours = dirname(dirname(fileURLToPath(import.meta.url)));

/** Where in the playbook a declaration stands, as "playbooks/bootstrap.ts:12"; for errors and reports. */
export const callsite = (): string => placeOf(new Error()) ?? "(unknown place)";

/** Where in the playbook an error arose; undefined where nothing of the playbook was under way. */
export function placeOf(error: Error): string | undefined {
  const frames = (error.stack ?? "").split("\n").slice(1);
  for (const frame of frames) {
    const match = /(?:\(|at )(?:async )?(file:\/\/\S+|\/\S+?):(\d+):\d+\)?$/.exec(frame);
    if (match?.[1] === undefined) continue;
    const path = match[1].startsWith("file:")
      ? fileURLToPath(match[1].split("?")[0] ?? "")
      : match[1];
    if (!path.startsWith(ours)) return `${relative(process.cwd(), path)}:${match[2]}`;
  }
  return undefined;
}
