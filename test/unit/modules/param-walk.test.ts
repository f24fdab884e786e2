import { isDeepStrictEqual } from "node:util";
import { afterAll, describe, expect, test } from "vitest";
import type { ModuleSpec } from "#engine/dsl/module.ts";
import { isSecret } from "#engine/dsl/secret.ts";
import type { Host } from "#engine/index.ts";
import * as modules from "#modules/index.ts";
import { type Case, caseFiles, loadCase, moduleFolders } from "../../support/case-file.ts";
import { caseHost, describeCommand } from "../../support/case-host.ts";
import { specsOf } from "../../support/cases.ts";
import { variantsOf } from "../../support/param-variants.ts";

/** Params that are not compared with a host that is as wanted, each with the reason. */
const patience = "how long something may take";
const forTheWork = "said to what does the work, and used only where work is to be done";
const alternative = "stands in place of another param, so it is never the only one that changes";
const NOT_COMPARED: Readonly<Record<string, string>> = {
  "apt lockTimeout": patience,
  "apt maxAge": "the age of lists that a package may be installed from",
  "apt timeout": patience,
  "apt-source key": alternative,
  "command argv": "the command is its goal's means: what is compared is the goal",
  "command cwd": "as its argv",
  "command env": "as its argv",
  "command say": "words",
  "command stdin": "as its argv",
  "command timeout": patience,
  "command unless": alternative,
  "command until": alternative,
  "command within": patience,
  "containerd source": "where a version comes from: its checksum says whether it is the same",
  "etcd-tools source": "as containerd's",
  "file linkTo": alternative,
  "images mirrors": "where images come from that are not there",
  "kubeadm-init clusterDns": "it follows from serviceSubnet: any other value is refused",
  "kubeadm-init ignorePreflightErrors": forTheWork,
  "kubeadm-join certificateKey": forTheWork,
  "kubeadm-join ignorePreflightErrors": forTheWork,
  "kubeadm-join token": forTheWork,
  "kubeadm-reset criSocket": forTheWork,
  "kubeadm-token advertiseAddress": forTheWork,
  "kubeadm-token ttlMinutes": "for the next token: how much is left of this one is compared",
  "kubeadm-token version": forTheWork,
  "netplan address": "where a guarded change is confirmed from",
  "netplan peers": "who must answer before a guarded change is confirmed",
  "netplan within": patience,
  "reboot within": patience,
  "remote-file from": alternative,
  "remote-file sha256Url": "where the checksum of an address that never changes is read once",
  "remote-file timeout": patience,
  "runc source": "as containerd's",
  "service settle": patience,
  "service timeout": patience,
  "swap state": "it has one value",
  "template source": alternative,
  "user removeHome": "of an absent user",
  "user sudo": "it has one value; untouched unless given",
  "user system": "for a user who is created",
};

const specs = [...specsOf(modules).values()].filter((spec): spec is ModuleSpec => "diff" in spec);
const cases = moduleFolders().flatMap((folder) =>
  caseFiles(folder).map((file) => loadCase(folder, file)),
);

/**
 * A case's host. Scripts that are asked about something else than the case knows answer as if they were not: whatever
 * depends on the param must then show in the diff itself.
 */
const anyArgs = ({ host }: Case): Case["host"] => ({
  ...host,
  commands: [
    ...host.commands,
    ...host.commands.flatMap(({ args: _, stdin: __, ...answer }) =>
      answer.script === undefined ? [] : [answer],
    ),
  ],
});

interface Outcome {
  /** The changes and outputs, or the refusal. */
  readonly wants: readonly string[];
  /** What the host was asked. */
  readonly asked: readonly string[];
}

/** As text, secrets too: they are compared as well. */
const shown = (value: unknown): string => {
  if (isSecret(value)) return shown(value.reveal());
  if (typeof value !== "object" || value === null) return String(value);
  return `{${Object.entries(value).map(([key, part]) => `${key}: ${shown(part)}`)}}`;
};

async function outcome(spec: ModuleSpec, one: Case, params: unknown): Promise<Outcome> {
  const want = spec.params.parse(params);
  const asked: string[] = [];
  const host = caseHost(anyArgs(one));
  const told: Host = {
    ...host,
    run: (command) => {
      asked.push(JSON.stringify(describeCommand(command)));
      return host.run(command);
    },
    text: (command) => {
      asked.push(JSON.stringify(describeCommand(command)));
      return host.text(command);
    },
    readFile: (path) => {
      asked.push(path);
      return host.readFile(path);
    },
    stat: (path) => {
      asked.push(path);
      return host.stat(path);
    },
    sha256: (path) => {
      asked.push(path);
      return host.sha256(path);
    },
  };
  try {
    const now = await spec.read(told, want);
    const wants = [...spec.diff(now, want)].map((change) => shown(change));
    return { wants: [...wants, shown(spec.outputs?.parse(now))], asked };
  } catch (error) {
    return { wants: [error instanceof Error ? error.message : String(error)], asked };
  }
}

const paramsOf = ({ params }: ModuleSpec): string[] =>
  Object.keys("shape" in params ? (params.shape as object) : {});

const counts = { changed: 0, asked: 0, excepted: 0 };

afterAll(() => {
  process.stderr.write(`# params of modules: ${JSON.stringify(counts)}\n`);
});

test("each exception is a param that is there", () => {
  const all = specs.flatMap((spec) => paramsOf(spec).map((name) => `${spec.name} ${name}`));
  expect(all).toEqual(expect.arrayContaining(Object.keys(NOT_COMPARED)));
});

describe.each(specs)("$name", (spec) => {
  const idle = cases.filter(({ module, changes }) => module === spec.name && changes?.length === 0);
  const seen = cases.filter(({ module }) => module === spec.name).map(({ params }) => params);
  const names = paramsOf(spec);
  if (names.length === 0) test("has no params", () => expect(names).toEqual([]));
  test.each(names)("%s changes something or is refused", async (name) => {
    const key = `${spec.name} ${name}`;
    if (NOT_COMPARED[key] !== undefined) {
      counts.excepted++;
      return;
    }
    let tried = 0;
    let asks = false;
    for (const one of idle) {
      const before = await outcome(spec, one, one.params);
      for (const params of variantsOf(spec, { name, base: one.params, seen })) {
        tried++;
        const after = await outcome(spec, one, params);
        asks ||= !isDeepStrictEqual(after.asked, before.asked);
        if (isDeepStrictEqual(after.wants, before.wants)) continue;
        counts.changed++;
        return;
      }
    }
    if (asks) counts.asked++;
    else expect.fail(`${key}: none of ${tried} other values made a difference`);
  });
});
