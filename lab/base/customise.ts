import { chmod, mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { sh } from "#engine/host/command.ts";
import { run } from "../machine/run.ts";
import { baseRecipe } from "./recipe.ts";

/** Turns a fresh Debian root into one that many hosts can stand on: nothing in it is one host's own. */
export async function customise(root: string): Promise<void> {
  await removeOwnThings(root);
  for (const unit of baseRecipe.masked)
    await link("/dev/null", join(root, "etc/systemd/system", unit));
  for (const [path, content] of Object.entries(baseRecipe.files))
    await put(join(root, path), content);
  for (const [unit, target] of baseRecipe.enabled)
    await link(`../${unit}`, join(root, "etc/systemd/system", `${target}.wants`, unit));
  for (const user of baseRecipe.users) {
    await run(sh`chroot ${root} useradd --create-home --shell /bin/bash ${user.name}`);
    const rule = join(root, "etc/sudoers.d", user.name);
    await put(rule, `${user.name} ALL=(ALL:ALL) ${user.sudo}\n`);
    await chmod(rule, 0o440);
  }
  // systemd redoes its first-boot work (caches, users) when /usr is newer than these.
  for (const stamp of ["etc/.updated", "var/.updated"]) await put(join(root, stamp), "");
}

async function removeOwnThings(root: string): Promise<void> {
  const ssh = join(root, "etc/ssh");
  for (const name of await readdir(ssh))
    if (name.startsWith("ssh_host_")) await rm(join(ssh, name));
  // Kernel-wide keys (core_pattern, pid_max) would be written to the machine.
  for (const folder of ["usr/lib/sysctl.d", "etc/sysctl.d"])
    for (const name of await readdir(join(root, folder)))
      if (name.endsWith(".conf")) await rm(join(root, folder, name));
  for (const path of [
    "etc/machine-id",
    "etc/hostname",
    "etc/resolv.conf",
    "etc/apt/sources.list",
    // mmdebstrap keeps its options here, the machine's proxy among them.
    "etc/apt/apt.conf.d/99mmdebstrap",
    "var/lib/dbus/machine-id",
  ])
    await rm(join(root, path), { force: true });
}

async function put(file: string, content: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
}

async function link(target: string, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await rm(path, { force: true });
  await symlink(target, path);
}
