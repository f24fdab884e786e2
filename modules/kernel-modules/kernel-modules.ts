/**
 * Kernel modules: loaded now, and at every boot.
 *
 * Built in counts as loaded. It shows in modules.builtin of the kernel's package, or as /sys/module/<name> (only where
 * the module has parameters). A kernel without loadable modules has no /proc/modules and often no /lib/modules either:
 * there a module is found by what it brings (/proc/filesystems, /proc/sys/net/bridge, …) or by its start function in
 * /proc/kallsyms, and no file is written, as systemd-modules-load would only fail on it.
 */
import { z } from "zod";
import { defineModule, PlaybookError, run, script, sh } from "#engine/index.ts";
import { answerOf } from "../answer.ts";
import { keepAway, keepFile, readManaged } from "../managed-file.ts";
import { FilePath, State } from "../params.ts";
import { undoFiles } from "../undo-file.ts";

const Found = z.enum(["loaded", "built-in", "loadable", "missing"]);

export const kernelModules = defineModule({
  name: "kernel-modules",
  summary: "Keep kernel modules loaded, now and after a reboot; what is built in counts as loaded.",
  example: `use.kernelModules({ modules: ["overlay", "br_netfilter"] })`,

  params: z.strictObject({
    modules: z
      .array(z.string().regex(/^[A-Za-z0-9][\w-]*$/, "expected a module name, as br_netfilter"))
      .min(1)
      .describe("Their names, as for modprobe."),
    // Of other files systemd-modules-load takes no notice, without a word.
    file: FilePath.regex(
      /^\/(etc|usr\/local\/lib|usr\/lib)\/modules-load\.d\/[^/.][^/]*\.conf$/,
      "expected a file that is read at boot, as /etc/modules-load.d/90-x.conf",
    )
      .default("/etc/modules-load.d/run-playbook.conf")
      .describe("Where they are listed for the next boot; one step per file."),
    state: State.describe("absent removes the file; what is loaded stays until the next boot."),
  }),

  outputs: z.object({
    modules: z.record(z.string(), Found).describe("How each one is there."),
  }),

  async read(host, want) {
    const [printed, file] = await Promise.all([
      host.text(script(STATE, ...want.modules)),
      readManaged(host, want.file),
    ]);
    const [loadable, ...states] = printed.split("\n");
    const modules = Object.fromEntries(
      want.modules.map(
        (name, index) => [name, answerOf(`Module ${name}`, Found, states[index])] as const,
      ),
    );
    return { modules, loadable: loadable === "modular", file, kernel: host.facts.kernel };
  },

  *diff(now, want) {
    if (want.state === "absent") {
      yield* keepAway(now.file, want.file);
      return;
    }
    const missing = want.modules.filter((name) => now.modules[name] === "missing");
    if (missing.length > 0)
      throw new PlaybookError("PB_KERNEL_MODULE_MISSING", [missing, now.kernel]);
    if (!now.loadable) return;
    const content = want.modules.map((name) => `${name}\n`).join("");
    yield* keepFile(now.file, { path: want.file, content });
    for (const name of want.modules)
      if (now.modules[name] === "loadable")
        yield run(sh`modprobe -- ${name}`, `load kernel module ${name}`);
  },

  *undo(before, now, { modules, file }) {
    for (const name of modules.toReversed())
      if (before.modules[name] === "loadable" && now.modules[name] === "loaded")
        yield run(sh`modprobe -r -- ${name}`, `unload kernel module ${name}`);
    yield* undoFiles({ path: file, before: before.file, now: now.file });
  },
});

const STATE = `# kernel-modules-state
folder=/lib/modules/$(uname -r)
if [ -e /proc/modules ]; then echo modular; else echo monolithic; fi
brings() {
  case $1 in
    br_netfilter) [ -d /proc/sys/net/bridge ] ;;
    nf_conntrack) [ -e /proc/sys/net/netfilter/nf_conntrack_max ] ;;
    ip_vs) [ -e /proc/net/ip_vs ] ;;
    tun) [ -e /dev/net/tun ] ;;
    *) grep -qw -- "$1" /proc/filesystems || grep -qE " $1_(init|init_module|module_init|mod_init)$" /proc/kallsyms ;;
  esac
}
for name; do
  name=$(printf '%s' "$name" | tr - _)
  pattern=$(printf '%s' "$name" | sed 's/_/[-_]/g')
  if grep -q "^$name " /proc/modules 2>/dev/null; then echo loaded
  elif grep -qE "/$pattern\\.ko" "$folder/modules.builtin" 2>/dev/null; then echo built-in
  elif grep -qE "/$pattern\\.ko[^:]*:" "$folder/modules.dep" 2>/dev/null; then echo loadable
  elif [ -d "/sys/module/$name" ] || brings "$name"; then echo built-in
  else echo missing
  fi
done`;
