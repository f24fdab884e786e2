import type { RunEvent } from "./event.ts";
import { elapsed, listed, oneLine, plural } from "./text.ts";

type Recap = Extract<RunEvent, { type: "recap" }>;

const MOST_STEPS = 6;
const MOST_HOSTS = 3;

/** What a stopped run left: how much, where, and roughly how long that took last time. */
export function leftLines({ stopped }: Recap): string[] {
  if (stopped === undefined || stopped.left.steps.length === 0) return [];
  const { steps, lastMs } = stopped.left;
  const nodes = steps.reduce((sum, { hosts }) => sum + hosts.length, 0);
  const hosts = new Set(steps.flatMap((step) => step.hosts)).size;
  const time = lastMs === undefined ? "" : `, about ${elapsed(lastMs)} last time`;
  const shown = steps.slice(0, MOST_STEPS).map(({ step, hosts: on }) => {
    const where = on.length > MOST_HOSTS ? plural(on.length, "host") : listed(on, MOST_HOSTS);
    return `  ${oneLine(step)} on ${oneLine(where)}`;
  });
  const more = steps.length - shown.length;
  return [
    `left: ${plural(steps.length, "step")} on ${plural(hosts, "host")} (${plural(nodes, "node")})${time}`,
    ...shown,
    ...(more > 0 ? [`  and ${plural(more, "step")} more`] : []),
  ];
}
