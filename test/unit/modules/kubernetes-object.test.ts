import { expect, test } from "vitest";
import { redact } from "#engine/dsl/masking.ts";
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

test("what a Secret held before is a secret on its way back, and goes back as it was", () => {
  const metadata = { name: "db", namespace: "team" };
  const data = { password: Buffer.from("tr0ub4dor-and-3").toString("base64") };
  const was = { apiVersion: "v1", kind: "Secret", metadata, data };
  const want = spec.params.parse({ objects: [{ ...was, data: { password: "b3RoZXI=" } }] });
  const before = { found: ["Secret team/db"], missing: [], live: [was] };
  const [change] = spec.undo?.(before, { found: [], missing: [], live: [] }, want) ?? [];
  const stdin = change?.op === "run" ? change.command.stdin : undefined;
  expect(isSecret(stdin) && JSON.parse(stdin.reveal()).items).toEqual([was]);
  expect(redact(`invalid value "${data.password}"`)).toBe('invalid value "[secret]"');
});

test("a secret in kubeadm's overrides is refused: every node may read them", async () => {
  const { kubeadmInit } = await import("#modules/index.ts");
  const field = kubeadmInit.spec.params.shape["kubelet" as never] as (typeof spec)["params"];
  const parsed = field.safeParse({ nested: [{ token: new Secret("hunter2hunter2") }] });
  expect(parsed.error?.issues[0]?.message).toContain("expected no secret");
});
