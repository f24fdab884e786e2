import { expect, test } from "vitest";
import type { Host, RunResult } from "#engine/index.ts";
import { askKubectl, kubectl } from "#modules/kubectl.ts";

/** A host whose kubectl gives these answers, one after another; `asked` has the programs that were run. */
function hostWith(...answers: readonly Partial<RunResult>[]) {
  const left = [...answers];
  const asked: (string | undefined)[] = [];
  const host = {
    async run({ argv }: { readonly argv: readonly unknown[] }): Promise<RunResult> {
      const [program] = argv.map(String);
      asked.push(program);
      const answer = program === "kubectl" ? left.shift() : {};
      if (answer === undefined) throw new Error("nothing more is asked");
      return { code: 0, stdout: "", stderr: "", ...answer };
    },
  };
  return { host: host as unknown as Host, asked };
}

const reset = {
  code: 1,
  stderr:
    "error: unexpected error when reading response body. Please retry. Original error: read tcp " +
    "[2001:db8::11]:44288->[2001:db8::100]:6443: read: connection reset by peer\n",
};
const question = kubectl("get", "nodes");

test("the virtual IP moved while a cluster was read: it is asked once more", async () => {
  const { host, asked } = hostWith(reset, { stdout: "node/cp1\n" });
  expect(await askKubectl(host, question)).toMatchObject({ code: 0, stdout: "node/cp1\n" });
  expect(asked).toEqual(["kubectl", "sleep", "kubectl"]);
});

test("a cluster that goes on breaking off is not asked for ever", async () => {
  const { host, asked } = hostWith(...Array.from({ length: 6 }, () => reset));
  expect(await askKubectl(host, question)).toMatchObject(reset);
  expect(asked.filter((program) => program === "kubectl")).toHaveLength(6);
});

test("what the cluster refuses is an answer", async () => {
  const refused = { code: 1, stderr: "error: You must be logged in to the server (Unauthorized)" };
  const { host, asked } = hostWith(refused);
  expect(await askKubectl(host, question)).toMatchObject(refused);
  expect(asked).toEqual(["kubectl"]);
});
