import { expect, test } from "vitest";
import { type Command, isSecret, Secret } from "#engine/index.ts";
import { kubernetesObject } from "#modules/index.ts";
import { caseHost } from "../../support/case-host.ts";

const { spec } = kubernetesObject;
const hostState = { name: "cp1", files: {}, commands: [], facts: {} } as never;

test("a Secret with a secret inside reaches the API with its value, and never as a placeholder", async () => {
  const password = new Secret("correct horse battery");
  const want = spec.params.parse({
    objects: [
      {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "db", namespace: "team" },
        stringData: { password },
      },
    ],
  });
  const asked: Command[] = [];
  const host = {
    ...caseHost(hostState),
    run: async (command: Command) => {
      asked.push(command);
      const live = command.argv.includes("get") ? "" : '{"items":[]}';
      return { code: 0, stdout: live, stderr: "" };
    },
  };
  await spec.read(host, want);
  const [change] = spec.diff({ found: ["Secret team/db"], missing: [], live: [] }, want);
  const stdins = [...asked, ...(change?.op === "run" ? [change.command] : [])].map(
    (one) => one.stdin,
  );
  expect(stdins).toHaveLength(3);
  for (const stdin of stdins) {
    expect(isSecret(stdin)).toBe(true);
    const text = isSecret(stdin) ? stdin.reveal() : "";
    expect(JSON.parse(text)).toMatchObject({
      items: [{ stringData: { password: "correct horse battery" } }],
    });
  }
});

test("a secret in kubeadm's overrides is refused: every node may read them", async () => {
  const { kubeadmInit } = await import("#modules/index.ts");
  const field = kubeadmInit.spec.params.shape["kubelet" as never] as (typeof spec)["params"];
  const parsed = field.safeParse({ nested: [{ token: new Secret("hunter2hunter2") }] });
  expect(parsed.error?.issues[0]?.message).toContain("expected no secret");
});
