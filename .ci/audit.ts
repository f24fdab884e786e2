/**
 * Asks npm what is known against the packages that are shipped. High and critical findings fail; a registry that
 * answers no audits is said plainly, and is no finding.
 */
import { spawnSync } from "node:child_process";

interface Report {
  readonly auditReportVersion?: number;
  readonly vulnerabilities?: Readonly<
    Record<string, { readonly severity: string; readonly range: string }>
  >;
  readonly message?: string;
  readonly error?: { readonly summary?: string };
}

/** What `npm audit --json` came to: whether it fails, and why, in one line each. */
export function verdictOn(printed: string): { readonly fails: boolean; readonly lines: string[] } {
  const report = parsed(printed);
  if (report?.auditReportVersion === undefined) {
    const why = report?.error?.summary || report?.message || "it is no JSON";
    const line = `dependencies were NOT audited: the registry gave no report (${why})`;
    return { fails: false, lines: [line] };
  }
  const found = Object.entries(report.vulnerabilities ?? {});
  if (found.length === 0)
    return { fails: false, lines: ["dependencies: nothing is known against them"] };
  const lines = found.map(([name, { severity, range }]) => `${severity}: ${name} ${range}`);
  const fails = found.some(([, { severity }]) => ["high", "critical"].includes(severity));
  return { fails, lines };
}

function parsed(printed: string): Report | undefined {
  try {
    return JSON.parse(printed) as Report;
  } catch {
    return undefined;
  }
}

if (import.meta.main) {
  const npm = spawnSync("npm", ["audit", "--omit=dev", "--json"], {
    encoding: "utf8",
    timeout: 120_000,
  });
  const { fails, lines } = verdictOn(npm.stdout ?? "");
  process.stdout.write(lines.map((line) => `${line}\n`).join(""));
  if (fails) process.exitCode = 1;
}
