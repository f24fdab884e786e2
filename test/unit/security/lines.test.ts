import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import type { ModuleSpec } from "#engine/dsl/module.ts";
import type { Change } from "#engine/index.ts";
import * as modules from "#modules/index.ts";
import { initConfig } from "#modules/kubeadm/config/init-config.ts";
import type { InitConfig } from "#modules/kubeadm/config/schema.ts";
import { type Case, caseFiles, loadCase, moduleFolders } from "../../support/case-file.ts";
import { asText, caseHost } from "../../support/case-host.ts";
import { specsOf } from "../../support/cases.ts";
import { type Leaf, leavesOf, SPECIMENS } from "../../support/schema-leaves.ts";

/** Whatever some reader takes for the end of a line, or of the text. */
const ENDS = ["\n", "\r", "\r\n", "\v", "\f", "\x1c", "\x85", "\u2028", "\u2029", "\0"];
const ANY_END = /\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029\0]/;

/** Params that are a file, or text in a language of its own: there lines are what is asked for. */
const WHOLE_TEXTS: ReadonlySet<string> = new Set([
  "file content",
  "template text",
  "template values.<key>",
  "template values.*",
  "systemd-unit content",
  "apt-source key",
  "command stdin",
  // Fields of a YAML document, with a test of their own below.
  "kubeadm-init kubelet.<key>",
  "kubeadm-init kubelet.*",
  "kubeadm-init kubeProxy.<key>",
  "kubeadm-init kubeProxy.*",
]);

const isModule = (spec: object): spec is ModuleSpec => "diff" in spec;
const specs = [...specsOf(modules).values()].filter(isModule);
const cases = moduleFolders().flatMap((folder) =>
  caseFiles(folder).map((file) => loadCase(folder, file)),
);

/** All text that a module would put on a host: files, and what programs read. */
async function textsOf(spec: ModuleSpec, one: Case, params: unknown): Promise<string[]> {
  const want = spec.params.parse(params);
  const changes = [...spec.diff(await spec.read(caseHost(one.host), want), want)];
  return changes.flatMap(textsIn);
}

function textsIn(change: Change): string[] {
  switch (change.op) {
    case "write":
      return [asText(change.content)];
    case "run":
      return change.command.stdin === undefined ? [] : [asText(change.command.stdin)];
    case "guarded":
      return change.files.flatMap(textsIn);
    default:
      return [];
  }
}

// In JSON a line end in a value is no line of the text, whichever it is.
const linesOf = (text: string) => (isJson(text) ? 1 : text.split(ANY_END).length);

function isJson(text: string): boolean {
  try {
    return JSON.parse(text) !== undefined;
  } catch {
    return false;
  }
}

/** The text with a line end inside, or nothing where the place refuses it. */
function broken(spec: ModuleSpec, leaf: Leaf, { params }: Case) {
  const usual = [...SPECIMENS, "a b"].filter(
    (text) => spec.params.safeParse(leaf.put(params, text)).success,
  );
  return usual.slice(0, 2).flatMap((text) =>
    ENDS.flatMap((end) => [
      { with: `${text}${end}b: c`, without: `${text}b: c` },
      { with: `${text}${end}`, without: text },
      { with: `${end}${text}`, without: text },
    ]).filter((pair) =>
      [pair.with, pair.without].every(
        (each) => spec.params.safeParse(leaf.put(params, each)).success,
      ),
    ),
  );
}

let compared = 0;

test.each(specs)("$name: no param adds a line to what is written", async (spec) => {
  for (const leaf of leavesOf(spec.params)) {
    if (WHOLE_TEXTS.has(`${spec.name} ${leaf.path}`)) continue;
    for (const one of cases.filter(({ module, error }) => module === spec.name && !error))
      for (const pair of broken(spec, leaf, one)) {
        const texts = (text: string) =>
          textsOf(spec, one, leaf.put(one.params, text)).catch(() => []);
        const [now, before] = await Promise.all([texts(pair.with), texts(pair.without)]);
        compared += 1;
        expect(now.map(linesOf), `${leaf.path} = ${JSON.stringify(pair.with)}`).toEqual(
          before.map(linesOf),
        );
      }
  }
});

const init = {
  version: "v1.36.3",
  advertiseAddress: "2001:db8:1::11",
  endpoint: { name: "api.example.net" },
  podSubnet: "2001:db8:2::/56",
  serviceSubnet: "2001:db8:3::/112",
  clusterDns: "2001:db8:3::a",
};

test.each(ENDS)("kubeadm's YAML 1.1 reader finds no field behind %j", (end) => {
  // To such a reader this is two fields where the line end stands in the text as it is.
  const text = `a${end}evil:${end} b`;
  const parsed = modules.kubeadmInit.spec.params.safeParse({ ...init, kubelet: { text } });
  if (!parsed.success) {
    expect(parsed.error.issues[0]?.message).toContain("expected no line ends");
    return;
  }
  const yaml = initConfig({ ...(parsed.data as InitConfig), nodeName: "w1" });
  expect(yaml.replaceAll("\n", "")).not.toMatch(ANY_END);
  const documents = parseAllDocuments(yaml, { version: "1.1" }).map((one) => one.toJS());
  expect(documents.find(({ kind }) => kind === "KubeletConfiguration")).toMatchObject({ text });
});

test("some params do take line ends, so this looked at something", () => {
  expect(compared).toBeGreaterThan(50);
});
