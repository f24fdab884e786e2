/** Whether etcd has all its members, and all of them agree. */
import { z } from "zod";
import { defineProbe } from "#engine/index.ts";
import { etcdctl, parseMembers } from "../etcdctl.ts";
import { lastLine } from "../kubectl.ts";

export const etcdHealthy = defineProbe({
  name: "etcd-healthy",
  summary: "etcd has these members, all started, voting and healthy; asked on a control plane.",
  example: `use.etcdHealthy({ members: ["cp1", "cp2", "cp3"] })`,
  params: z.strictObject({ members: z.array(z.string()).min(1) }),

  async check(host, want) {
    const [list, health] = await Promise.all([
      host.run(etcdctl("member", "list")),
      host.run(etcdctl("endpoint", "health", "--cluster")),
    ]);
    if (list.code !== 0)
      return { holds: false, saw: `etcd on ${host.name}: ${lastLine(list.stderr)}` };
    const found = parseMembers(list.stdout);
    const names = found.map(({ name, peerUrls }) => name || peerUrls.join(", "));
    const wrong = [
      ...want.members.filter((name) => !names.includes(name)).map((name) => `${name} is no member`),
      ...names.filter((name) => !want.members.includes(name)).map((name) => `${name} is foreign`),
      ...found.filter(({ started }) => !started).map(({ name }) => `${name} has not started`),
      ...found.filter(({ learner }) => learner).map(({ name }) => `${name} is still a learner`),
      ...(health.code === 0 ? [] : [lastLine(health.stderr)]),
    ];
    return wrong.length === 0
      ? { holds: true, saw: `${found.length} members are healthy` }
      : { holds: false, saw: `${wrong.join("; ")} (see /var/log/pods/kube-system_etcd-*)` };
  },
});
