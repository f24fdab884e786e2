/** kubectl on a control plane, with the cluster administrator's credentials. */
import type { z } from "zod";
import { type Command, type Host, PlaybookError, type RunResult, sh } from "#engine/index.ts";
import { answerOf, jsonOf } from "./answer.ts";

const adminConf = "/etc/kubernetes/admin.conf";

/** @example kubectl("get", "nodes", "-o", "json") */
export const kubectl = (...args: readonly string[]): Command =>
  sh`kubectl --kubeconfig ${adminConf} --request-timeout=20s ${args}`;

/** What kubectl says when its connection broke under the question: nobody refused anything. */
const BROKEN =
  /connection reset by peer|unexpected EOF|error reading response body|client connection lost|no route to host/i;
/** Together longer than a virtual IP takes to move. */
const AGAIN = { times: 5, seconds: 2 };

/** Asks with kubectl, and once more where the API server went away meanwhile. Only for what changes nothing. */
export async function askKubectl(host: Host, question: Command): Promise<RunResult> {
  for (let left = AGAIN.times; ; left -= 1) {
    const answer = await host.run(question);
    if (answer.code === 0 || left === 0 || !BROKEN.test(answer.stderr)) return answer;
    await host.run(sh`sleep ${AGAIN.seconds}`);
  }
}

/** What kubectl prints as JSON. @throws PB_CLUSTER_READ with kubectl's own words; `what` names it */
export async function kubectlJson<S extends z.ZodType>(
  host: Host,
  { what, as }: { readonly what: string; readonly as: S },
  ...args: readonly string[]
): Promise<z.output<S>> {
  const { code, stdout, stderr } = await askKubectl(host, kubectl(...args, "-o", "json"));
  if (code !== 0)
    throw new PlaybookError("PB_CLUSTER_READ", [what, lastLine(stderr)], { host: host.name });
  return stdout.trim() === "" ? answerOf(what, as, { items: [] }) : jsonOf(what, as, stdout);
}

/** What a program says last is what went wrong. */
export const lastLine = (text: string): string => text.trim().split("\n").at(-1) ?? "";
