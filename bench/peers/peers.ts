import type { ReportProgress } from "#lab/progress.ts";
import { ansible } from "./ansible.ts";
import { floor } from "./floor.ts";
import { ours } from "./ours.ts";
import type { Peer, PeerName } from "./peer.ts";
import { pyinfra } from "./pyinfra.ts";
import { type PeersRoot, peersRoot } from "./root.ts";

/** The peers that are asked for, each ready to be run; `folder` is for what they are told. */
export async function openPeers(
  names: readonly PeerName[],
  folder: string,
  report: ReportProgress,
): Promise<Peer[]> {
  let root: Promise<PeersRoot> | undefined;
  const inRoot = () => (root ??= peersRoot(report));
  const open: Record<PeerName, () => Promise<Peer>> = {
    floor: () => floor(folder),
    "run-playbook": () => ours(folder),
    Ansible: async () => ansible(await inRoot(), "ssh"),
    "Ansible + mitogen": async () => ansible(await inRoot(), "mitogen"),
    pyinfra: async () => pyinfra(await inRoot()),
  };
  const peers: Peer[] = [];
  for (const name of names) peers.push(await open[name]());
  return peers;
}
