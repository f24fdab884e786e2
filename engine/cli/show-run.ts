import type { NodeName } from "../journal/format.ts";
import { isSettled, type NodeRecord } from "../journal/record.ts";
import type { KnownRun } from "../journal/runs.ts";
import { elapsed, listed, oneLine } from "../report/text.ts";

/** A time as this machine's clock shows it: `2026-11-26 22:01:03`. */
export const localTime = (at: number): string => new Date(at).toLocaleString("sv-SE");

/** `run-playbook show RUN`: what was done, what is in doubt, what is left. */
export function runText(known: KnownRun): string {
  const { record } = known;
  const { doubts, owed, nodes } = record;
  const left = nodes.filter((node) => !isSettled(node));
  return [
    ...heading(known),
    ...section(
      known.standing === "running" ? "under way" : "in doubt",
      doubts.map(
        ({ step, host, say, at }) =>
          `${place({ step, host })}  ${oneLine(say)} (begun ${localTime(at)})`,
      ),
    ),
    ...section("still set off by a change", owed.map(place)),
    ...section(`left: ${left.length} of ${nodes.length}`, byStep(left)),
    ...section("done", byStep(nodes.filter(isSettled))),
    "",
  ].join("\n");
}

/** The same for programs. */
export function runJson({ run, record, standing, resumedAs }: KnownRun): string {
  const { begun, nodes, stopping, over, lastAt, doubts, owed } = record;
  const { playbook, engine, resumes, asked, by } = begun;
  return `${JSON.stringify({
    run,
    playbook,
    standing,
    begunAt: begun.at,
    lastAt,
    exitCode: over?.exitCode,
    stoppingAt: stopping?.at,
    resumes,
    resumedAs,
    engine,
    asked,
    by,
    doubts,
    owed,
    nodes: nodes.map((node) => {
      const { step, host, changes } = node;
      const { outcome, ms, why, root, code, message } = node.ended ?? {};
      const settled = isSettled(node);
      return { step, host, settled, changes, outcome, ms, why, root, code, message };
    }),
  })}\n`;
}

/** In a word how a run ended, or that it has not. */
export function howItStands({ record: { begun, over }, standing, resumedAs }: KnownRun): string {
  const how =
    standing === "running"
      ? `running (process ${begun.by.pid})`
      : standing === "elsewhere"
        ? `not ended, on ${begun.by.machine}`
        : over === undefined
          ? standing
          : `${standing} after ${elapsed(over.ms)}`;
  return resumedAs === undefined ? how : `${how}, resumed as ${resumedAs}`;
}

function heading(known: KnownRun): string[] {
  const { engine, asked, by, at, playbook, resumes } = known.record.begun;
  const who = by.sudoUser === undefined ? by.user : `${by.sudoUser} as ${by.user}`;
  const from = by.from === undefined ? "" : ` from ${by.from}`;
  const rows = {
    run: known.run,
    playbook: `${playbook} (${asked.playbook} in ${asked.cwd}), run-playbook ${engine}`,
    options: optionsOf(known),
    begun: `${localTime(at)} by ${who} on ${by.machine}${from}`,
    ended: `${howItStands(known)}; last entry ${localTime(known.record.lastAt)}`,
    resumes: resumes ?? "",
  };
  return Object.entries(rows)
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `${name.padEnd(8)}  ${oneLine(value)}`);
}

function optionsOf({ record }: KnownRun): string {
  const { inventory, lab, limit, only, forks, params, secretParams } = record.begun.asked;
  return [
    ...(inventory === undefined ? [] : [`--inventory ${inventory}`]),
    ...(lab === undefined ? [] : [lab === true ? "--lab" : `--lab ${lab}`]),
    ...(limit === undefined ? [] : [`--limit ${limit.join(",")}`]),
    ...(only === undefined ? [] : [`--only "${only.join(",")}"`]),
    ...(forks === undefined ? [] : [`--forks ${forks}`]),
    ...Object.entries(params).map(([name, value]) => `--param ${name}=${value}`),
    ...secretParams.map((name) => `--param ${name}=[secret]`),
  ].join(" ");
}

const section = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : ["", title, ...lines.map((line) => `  ${line}`)];

/** A line for all hosts of a step that went alike. */
function byStep(nodes: readonly NodeRecord[]): string[] {
  const groups = Map.groupBy(nodes, (node) => JSON.stringify([node.step, whatOf(node)]));
  return Array.from(groups.values(), (alike) => {
    const [{ step, ...rest } = alike[0] as NodeRecord] = alike;
    const hosts = listed(
      alike.map(({ host }) => host),
      6,
    );
    return `${place({ step, host: hosts })}  ${oneLine(whatOf({ step, ...rest }))}`;
  });
}

function whatOf({ startedAt, changes, ended }: NodeRecord): string {
  const done = changes.length === 0 ? "" : `: ${listed(changes, 3)}`;
  if (ended === undefined) return startedAt === undefined ? "never started" : `begun${done}`;
  const { outcome, why, code, message } = ended;
  if (code !== undefined) return `${outcome}: ${code} ${message ?? ""}`;
  return why === undefined ? `${outcome}${done}` : `${outcome} (${why})`;
}

const place = ({ step, host }: NodeName): string => `${oneLine(step)}  ${oneLine(host)}`;
