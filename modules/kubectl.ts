/** kubectl on a control plane, with the cluster administrator's credentials. */
import { type Command, type Host, PlaybookError, sh } from "#engine/index.ts";

const adminConf = "/etc/kubernetes/admin.conf";

/** @example kubectl("get", "nodes", "-o", "json") */
export const kubectl = (...args: readonly string[]): Command =>
  sh`kubectl --kubeconfig ${adminConf} --request-timeout=20s ${args}`;

/** What kubectl prints as JSON. @throws PB_CLUSTER_READ with kubectl's own words; `what` names it */
export async function kubectlJson(
  host: Host,
  what: string,
  ...args: readonly string[]
): Promise<unknown> {
  const { code, stdout, stderr } = await host.run(kubectl(...args, "-o", "json"));
  if (code !== 0)
    throw new PlaybookError("PB_CLUSTER_READ", [what, lastLine(stderr)], { host: host.name });
  return stdout.trim() === "" ? { items: [] } : JSON.parse(stdout);
}

/** What a program says last is what went wrong. */
export const lastLine = (text: string): string => text.trim().split("\n").at(-1) ?? "";
