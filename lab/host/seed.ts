import { randomBytes } from "node:crypto";
import { chmod, chown, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { sh } from "#engine/host/command.ts";
import { baseRecipe } from "../base/recipe.ts";
import type { AptSettings } from "../machine/apt-settings.ts";
import { run } from "../machine/run.ts";
import type { NetworkIdentity } from "../network/network.ts";
import { addressPlan } from "../plan/address-plan.ts";
import { APT_PORT } from "../ports.ts";
import type { HostPaths } from "../state/paths.ts";
import { netplanFile } from "./netplan-file.ts";

/** What a new host is told about itself. */
export interface SeedInput {
  readonly lab: NetworkIdentity;
  readonly host: string;
  readonly index: number;
  /** Public half of the lab's ssh key. */
  readonly publicKey: string;
  readonly dates: AptSettings["dates"];
}

// useradd gives them in the recipe's order.
const FIRST_UID = 1000;

/** Writes the files that make a host this one; they are copied on to its disk once, at its first boot. */
export async function writeSeed(paths: HostPaths, input: SeedInput): Promise<void> {
  const { lab, host, index } = input;
  const address = addressPlan(lab.name).host(index);
  await rm(paths.seed, { recursive: true, force: true });
  const put = (path: string, content: string, mode = 0o644) =>
    putFile(join(paths.seed, path), content, mode);
  await put("etc/hostname", `${host}\n`);
  await put("etc/hosts", `::1 localhost ip6-localhost\n127.0.0.1 localhost\n${address} ${host}\n`);
  await put("etc/machine-id", `${randomBytes(16).toString("hex")}\n`, 0o444);
  // CoreDNS does not start on a host without a name server. Nobody answers there, and says so at once.
  await put("etc/resolv.conf", `nameserver ${addressPlan(lab.name).machine}\n`);
  await put("etc/netplan/50-lab.yaml", netplanFile(lab, index), 0o600);
  await put("etc/apt/sources.list.d/lab.sources", aptSources(lab.name));
  await put("etc/apt/apt.conf.d/90lab", aptConf(input.dates));
  await putKeys(paths.seed, input.publicKey);
  await hostKeys(join(paths.seed, "etc/ssh"), host);
}

/** A host's public keys, as known_hosts lists them. */
export async function publicHostKeys(paths: HostPaths): Promise<string[]> {
  return Promise.all(
    KEY_TYPES.map(async (type) => {
      const text = await readFile(join(paths.seed, `etc/ssh/ssh_host_${type}_key.pub`), "utf8");
      return text.split(" ").slice(0, 2).join(" ").trim();
    }),
  );
}

const KEY_TYPES = ["ed25519", "ecdsa"] as const;

async function hostKeys(folder: string, host: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const type of KEY_TYPES)
    await run(
      sh`ssh-keygen -q -t ${type} -N ${""} -C ${`root@${host}`} -f ${join(folder, `ssh_host_${type}_key`)}`,
    );
}

async function putKeys(seed: string, publicKey: string): Promise<void> {
  const users = baseRecipe.users.map(({ name }, at) => ({
    home: `home/${name}`,
    uid: FIRST_UID + at,
  }));
  for (const { home, uid } of [{ home: "root", uid: 0 }, ...users]) {
    const file = join(seed, home, ".ssh/authorized_keys");
    await putFile(file, publicKey, 0o600);
    await chmod(dirname(file), 0o700);
    // The folders' modes are copied too, so they must be what useradd made them.
    await chmod(join(seed, home), 0o700);
    for (const path of [join(seed, home), dirname(file), file]) await chown(path, uid, uid);
  }
}

function aptSources(lab: string): string {
  const base = `http://[${addressPlan(lab).machine}]:${APT_PORT}`;
  const stanza = (path: string, suites: string) => `Types: deb
URIs: ${base}/${path}
Suites: ${suites}
Components: ${baseRecipe.components}
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`;
  const { suite } = baseRecipe;
  return [
    stanza("debian", `${suite} ${suite}-updates`),
    stanza("debian-security", `${suite}-security`),
  ].join("\n");
}

const aptConf = (dates: AptSettings["dates"]): string =>
  [
    'Acquire::Languages "none";',
    ...Object.entries(dates).map(([key, value]) => `${key} "${value}";`),
  ]
    .map((line) => `${line}\n`)
    .join("");

async function putFile(file: string, content: string, mode: number): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
  await chmod(file, mode);
}
