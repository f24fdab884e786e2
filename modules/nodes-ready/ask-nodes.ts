import type { Host } from "#engine/index.ts";
import { readNodes } from "../cluster-nodes/read-nodes.ts";

type FoundNode = Awaited<ReturnType<typeof readNodes>>[number];

/** Asks of each of these nodes that it is registered and that `fault` finds nothing. `being` completes "2 nodes are …". */
export async function askNodes(
  host: Host,
  names: readonly string[],
  { being, fault }: { being: string; fault: (node: FoundNode) => string | undefined },
): Promise<{ holds: boolean; saw: string }> {
  const found = await readNodes(host);
  const wrong = names.flatMap((name) => {
    const node = found.find((one) => one.name === name);
    if (node === undefined) return `${name} is not registered (journalctl -u kubelet on it)`;
    return fault(node) ?? [];
  });
  return wrong.length === 0
    ? { holds: true, saw: `${names.length} nodes are ${being}` }
    : { holds: false, saw: wrong.join("; ") };
}
