/** kubectl on a control plane, with the cluster administrator's credentials. */
import type { z } from "zod";
import { type Command, type Host, PlaybookError, sh } from "#engine/index.ts";
import { answerOf, jsonOf } from "./answer.ts";

const adminConf = "/etc/kubernetes/admin.conf";

/** @example kubectl("get", "nodes", "-o", "json") */
export const kubectl = (...args: readonly string[]): Command =>
  sh`kubectl --kubeconfig ${adminConf} --request-timeout=20s ${args}`;

/** What kubectl prints as JSON. @throws PB_CLUSTER_READ with kubectl's own words; `what` names it */
export async function kubectlJson<S extends z.ZodType>(
  host: Host,
  { what, as }: { readonly what: string; readonly as: S },
  ...args: readonly string[]
): Promise<z.output<S>> {
  const { code, stdout, stderr } = await host.run(kubectl(...args, "-o", "json"));
  if (code !== 0)
    throw new PlaybookError("PB_CLUSTER_READ", [what, lastLine(stderr)], { host: host.name });
  return stdout.trim() === "" ? answerOf(what, as, { items: [] }) : jsonOf(what, as, stdout);
}

/** What a program says last is what went wrong. */
export const lastLine = (text: string): string => text.trim().split("\n").at(-1) ?? "";
