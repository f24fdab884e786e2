import { chmod } from "node:fs/promises";
import { uptime } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Host } from "#engine/index.ts";
import { askCluster, type ClusterAnswer } from "#modules/kubeadm/cluster-answer.ts";
import { execute } from "../../../support/execute.ts";
import { folder } from "../../../support/program.ts";

// A kubectl that gives the next of these answers at each call, the last one for ever; waiting takes no time.
const kubectl = `#!/bin/sh
cd "\${0%/*}"
n=$(cat asked 2>/dev/null || echo 0)
echo $((n + 1)) >asked
[ -e "answer-$n" ] || n=last
cat "answer-$n"
! grep -q '^Error\\|refused' "answer-$n"
`;

const startedAgo = (seconds: number) =>
  `#!/bin/sh\necho ${Math.floor((uptime() - seconds) * 1e6)}\n`;

async function ask(
  answers: readonly string[],
  { waitSeconds = 120, kubeletSeconds = 300 } = {},
): Promise<ClusterAnswer> {
  const named = answers.map((text, at): [string, string] => [`answer-${at}`, `${text}\n`]);
  await using bin = await folder({
    kubectl,
    sleep: "#!/bin/sh\n",
    systemctl: startedAgo(kubeletSeconds),
    "answer-last": `${answers.at(-1)}\n`,
    ...Object.fromEntries(named),
  });
  for (const program of ["kubectl", "sleep", "systemctl"])
    await chmod(join(bin.path, program), 0o755);
  const PATH = `${bin.path}:${process.env["PATH"]}`;
  const host = {
    text: async (command) =>
      (await execute({ ...command, env: { PATH } })).stdout.replace(/\n$/, ""),
  } satisfies Partial<Host> as unknown as Host;
  const ready = "https://[2001:db8::1]:6443";
  return await askCluster(host, { kubeconfig: "kubelet.conf", node: "cp1", ready, waitSeconds });
}

const starting =
  'Error from server (Forbidden): User "system:node:cp1" cannot get path "/readyz": RBAC: not yet read';
const refused = "The connection to the server [2001:db8::1]:6443 was refused";
const node = "v1.36.3 2001:db8:1::11 192.0.2.11";

const gone = 'Error from server (NotFound): nodes "cp1" not found';

describe("what a cluster answers to one of its hosts", () => {
  test("an API server that has just been booted forbids everything at first: it is waited for", async () => {
    const answer = await ask([refused, starting, starting, "ok", node]);
    expect(answer).toEqual({
      kind: "node",
      version: "v1.36.3",
      addresses: ["2001:db8:1::11", "192.0.2.11"],
    });
  });

  test("one that starts for longer than a look is waited for, too", async () => {
    const answer = await ask([...Array<string>(25).fill(starting), "ok", node]);
    expect(answer).toMatchObject({ kind: "node" });
  });

  test("one that forbids for ever is as good as silent, and its words are told", async () => {
    expect(await ask([starting], { waitSeconds: 10 })).toEqual({ kind: "silent", why: starting });
  });

  test("credentials that it does not know are refused at once", async () => {
    const unknown = "Error: You must be logged in to the server (Unauthorized)";
    expect(await ask([unknown, "ok", node])).toEqual({ kind: "refused", why: unknown });
  });

  test("a node that was deleted is not known", async () => {
    expect(await ask(["ok", gone])).toEqual({ kind: "unknown-node" });
  });

  test("a worker that has just joined is not gone: its kubelet gets the time to register it", async () => {
    const answers = [...Array.from({ length: 25 }, () => ["ok", gone]).flat(), "ok", node];
    expect(await ask(answers, { kubeletSeconds: 5 })).toMatchObject({ kind: "node" });
  });

  test("a kubelet that cannot register its node is told of once the wait is over", async () => {
    const answer = await ask(["ok", gone, "ok", gone, "ok", gone], {
      waitSeconds: 4,
      kubeletSeconds: 5,
    });
    expect(answer).toEqual({ kind: "silent", why: gone });
  });
});
