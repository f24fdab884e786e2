/** A plot of the goals' cells: bars on a logarithmic scale, as the peers lie decades apart. */
import { medianMs } from "./matrix.ts";
import { peerNames } from "./peers/peer.ts";
import type { BenchResult, MeasuredCell } from "./result.ts";

const [WIDTH, LEFT, RIGHT, BAR, GAP] = [720, 150, 70, 18, 6] as const;

/** Nothing to do, no delay: one group of bars for each number of hosts. */
export function plot({ cells }: BenchResult): string {
  const shown = cells.filter(
    ({ mode, roundTrip, peer, samples }) =>
      mode === "no-op" && roundTrip === 0 && peer !== "connect" && samples.length > 0,
  );
  const groups = [...Map.groupBy(shown, ({ hosts }) => hosts)].sort(([a], [b]) => a - b);
  const most = Math.max(...shown.map(medianMs), 1000);
  const x = scale(100, 10 ** Math.ceil(Math.log10(most)));
  let y = 30;
  const parts: string[] = [];
  for (const [hosts, group] of groups) {
    parts.push(text(0, y + 13, hosts === 1 ? "1 host" : `${hosts} hosts`, "bold"));
    y += BAR + GAP;
    for (const cell of byPeer(group)) {
      parts.push(bar(cell, x, y));
      y += BAR + GAP;
    }
    y += GAP * 2;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y + 24}" font-family="sans-serif" font-size="13">
<rect width="100%" height="100%" fill="white"/>
${text(0, 15, "Seconds for 20 checks a host with nothing to do, no delay (logarithmic)")}
${grid(most, x, y).join("\n")}
${parts.join("\n")}
</svg>
`;
}

const scale = (from: number, to: number) => (ms: number) =>
  LEFT + ((WIDTH - LEFT - RIGHT) * Math.log(ms / from)) / Math.log(to / from);

const byPeer = (cells: readonly MeasuredCell[]) =>
  peerNames.flatMap((peer) => cells.filter((cell) => cell.peer === peer));

function bar(cell: MeasuredCell, x: (ms: number) => number, y: number): string {
  const ms = medianMs(cell);
  const fill = cell.peer === "run-playbook" ? "#2563eb" : "#94a3b8";
  const width = (x(ms) - LEFT).toFixed(1);
  return [
    text(0, y + 13, cell.peer),
    `<rect x="${LEFT}" y="${y}" width="${width}" height="${BAR}" fill="${fill}"/>`,
    text(x(ms) + 5, y + 13, `${(ms / 1000).toPrecision(3)} s`),
  ].join("");
}

function grid(most: number, x: (ms: number) => number, bottom: number): string[] {
  const ticks: number[] = [];
  for (let ms = 100; ms <= most * 10; ms *= 10) ticks.push(ms);
  return ticks.slice(0, -1).map((ms) => {
    const at = x(ms).toFixed(1);
    const line = `<line x1="${at}" y1="24" x2="${at}" y2="${bottom}" stroke="#e2e8f0"/>`;
    return line + text(Number(at) - 8, bottom + 16, `${ms / 1000}`);
  });
}

const text = (x: number, y: number, content: string, weight = "normal") =>
  `<text x="${x.toFixed(1)}" y="${y}" font-weight="${weight}" fill="#0f172a">${content}</text>`;
