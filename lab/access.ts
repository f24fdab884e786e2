import { randomBytes } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { sh } from "#engine/host/command.ts";
import type { LabContext } from "./context.ts";
import { publicHostKeys } from "./host/seed.ts";
import { readText } from "./machine/files.ts";
import { run } from "./machine/run.ts";
import { addressPlan, ipv4Plan } from "./plan/address-plan.ts";
import { type LabState, writeWhole } from "./state/state.ts";

/** What opens a lab's hosts. */
export interface Access {
  readonly publicKey: string;
  /** Of the user opspw, whose sudo asks for it. */
  readonly sudoPassword: string;
}

/** The lab's ssh key and sudo password, made at the first call. */
export async function ensureAccess({ name, paths }: LabContext): Promise<Access> {
  await mkdir(paths.folder, { recursive: true, mode: 0o700 });
  const publicFile = `${paths.identity}.pub`;
  if ((await readText(publicFile)) === undefined)
    await run(sh`ssh-keygen -q -t ed25519 -N ${""} -C ${`lab ${name}`} -f ${paths.identity}`);
  let sudoPassword = await readText(paths.sudoPassword);
  if (sudoPassword === undefined) {
    sudoPassword = randomBytes(18).toString("base64url");
    await writeWhole(paths.sudoPassword, `${sudoPassword}\n`);
  }
  return { publicKey: await readFile(publicFile, "utf8"), sudoPassword };
}

/** Writes known_hosts from the hosts' own public keys, so that nothing has to be accepted on trust. */
export async function writeKnownHosts({ paths }: LabContext, state: LabState): Promise<void> {
  const plan = addressPlan(state.name);
  const lines = await Promise.all(
    Object.entries(state.hosts).map(async ([host, { index }]) => {
      const names = [plan.host(index), ...(state.dualStack ? [ipv4Plan.host(index)] : [])];
      const keys = await publicHostKeys(paths.host(host));
      return keys.map((key) => `${names.join(",")} ${key}\n`);
    }),
  );
  await writeWhole(paths.knownHosts, lines.flat().join(""));
}
