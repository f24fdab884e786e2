/** The host's own name. */
import { z } from "zod";
import { defineModule, PlaybookError, run, script } from "#engine/index.ts";
import { isClusterMember, KUBELET_CONF } from "../cluster-member.ts";
import { keepFile, readManaged } from "../managed-file.ts";
import { DnsName } from "../params.ts";
import { undoFiles } from "../undo-file.ts";

const KEEP = "/etc/cloud/cloud.cfg.d/99-run-playbook-hostname.cfg";

export const hostname = defineModule({
  name: "hostname",
  summary: "Keep the host's name, now and after a reboot; refused on a member of a cluster.",
  example: `use.hostname({ name: "w1" })`,
  params: z.strictObject({
    name: DnsName.max(64).describe("At most 64 characters; what kubeadm names the node after."),
  }),
  outputs: z.object({ live: z.string().describe("What the kernel says now.") }),

  async read(host) {
    const [live, file, cloud, keep, member] = await Promise.all([
      host.readFile("/proc/sys/kernel/hostname"),
      readManaged(host, "/etc/hostname"),
      host.stat("/etc/cloud/cloud.cfg.d"),
      readManaged(host, KEEP, { folder: "packaged" }),
      isClusterMember(host),
    ]);
    return { live: (live ?? "").trim(), file, cloud: cloud !== undefined, keep, member };
  },

  *diff(now, { name }) {
    refuseRenaming(now, name);
    yield* keepFile(now.file, { path: "/etc/hostname", content: `${name}\n` });
    // cloud-init would set the instance's name again at the next boot.
    if (now.cloud) yield* keepFile(now.keep, { path: KEEP, content: "preserve_hostname: true\n" });
    // Not hostnamectl: it needs a message bus, which a minimal host lacks.
    if (now.live !== name)
      yield run(script(SET, name), `hostname: ${now.live || "none"} → ${name}`);
  },

  *undo(before, now) {
    refuseRenaming(now, before.live);
    if (now.live !== before.live)
      yield run(script(SET, before.live), `hostname: ${now.live} → ${before.live || "none"}`);
    yield* undoFiles(
      { path: KEEP, before: before.keep, now: now.keep },
      { path: "/etc/hostname", before: before.file, now: now.file },
    );
  },
});

function refuseRenaming({ member, live }: { member: boolean; live: string }, name: string): void {
  if (!member || live === name) return;
  throw new PlaybookError("PB_CLUSTER_MEMBER", [
    `Renaming ${live} to ${name}`,
    `the cluster knows the node by its name (${KUBELET_CONF} is there)`,
  ]);
}

const SET = `# hostname-set
printf '%s' "$1" >/proc/sys/kernel/hostname`;
