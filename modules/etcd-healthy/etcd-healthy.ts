/** Whether etcd has all its members, and all of them agree. */
import { z } from "zod";
import { defineProbe } from "#engine/index.ts";
import { NodeName } from "../cluster-params.ts";
import { type EtcdMember, etcdctl, parseMembers } from "../etcdctl.ts";
import { lastLine } from "../kubectl.ts";

export const etcdHealthy = defineProbe({
  name: "etcd-healthy",
  summary: "etcd has these members, all started, voting and healthy; asked on a control plane.",
  example: `use.etcdHealthy({ members: ["cp1", "cp2", "cp3"] })`,
  params: z.strictObject({
    members: z.array(NodeName).min(1).describe("Their names: these and no others."),
  }),

  async check(host, want) {
    const [list, health] = await Promise.all([
      host.run(etcdctl("member", "list")),
      host.run(etcdctl("endpoint", "health", "--cluster")),
    ]);
    if (list.code !== 0)
      return { holds: false, saw: `etcd on ${host.name}: ${lastLine(list.stderr)}` };
    const found = parseMembers(list.stdout);
    const names = found.map(nameOf);
    const wrong = [
      ...want.members.filter((name) => !names.includes(name)).map((name) => `${name} is no member`),
      ...names.filter((name) => !want.members.includes(name)).map((name) => `${name} is foreign`),
      ...found.filter(({ started }) => !started).map((one) => `${nameOf(one)} has not started`),
      ...found.filter(({ learner }) => learner).map((one) => `${nameOf(one)} is still a learner`),
      ...(health.code === 0 ? [] : unhealthy(health.stderr)),
    ];
    return wrong.length === 0
      ? { holds: true, saw: `${found.length} members are healthy` }
      : { holds: false, saw: `${wrong.join("; ")} (see /var/log/pods/kube-system_etcd-*)` };
  },
});

// A member that never started has no name yet.
const nameOf = ({ name, peerUrls }: EtcdMember): string => name || peerUrls.join(", ");

// Its last line, "unhealthy cluster", does not say who.
const unhealthy = (stderr: string): string[] => {
  const named = stderr.split("\n").filter((line) => line.includes(" is unhealthy"));
  return named.length > 0 ? named : [lastLine(stderr)];
};
