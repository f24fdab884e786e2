import { z } from "zod";
import { PlaybookError } from "../errors/error.ts";
import { script } from "./command.ts";
import type { CallOptions, Connection } from "./connection.ts";
import type { Facts } from "./host.ts";

// One call. Everything but the kernel's own files may be missing: then its line is empty.
const ASK = script(`
echo "uname $(uname -snrm)"
echo "boot $(cat /proc/sys/kernel/random/boot_id)"
echo "memory $(sed -n 's/^MemTotal: *\\([0-9]*\\).*/\\1/p' /proc/meminfo)"
echo "cpus $(nproc)"
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then echo "cgroup v2"; else echo "cgroup v1"; fi
if [ -r /etc/os-release ]; then cat /etc/os-release; else cat /usr/lib/os-release; fi
exit 0
`);

const ARCH: Readonly<Record<string, string>> = {
  x86_64: "amd64",
  aarch64: "arm64",
  armv7l: "arm",
  armv6l: "arm",
  i686: "386",
  i386: "386",
};

const FactsSchema = z.object({
  hostname: z.string().min(1),
  os: z.object({ id: z.string(), version: z.string(), codename: z.string() }),
  arch: z.string().min(1),
  kernel: z.string().min(1),
  cgroup: z.enum(["v1", "v2"]),
  bootId: z.string().regex(/^[0-9a-f-]{36}$/),
  memory: z.int().positive(),
  cpus: z.int().positive(),
});

/** What is known of a host from the first moment, in one call. */
export async function readFacts(connection: Connection, options?: CallOptions): Promise<Facts> {
  const { stdout } = await connection.run(ASK, options);
  return parseFacts(stdout);
}

/** An operating system that names itself nowhere is "unknown": the modules decide whether they can do with that. */
export function parseFacts(printed: string): Facts {
  const lines = printed.split("\n");
  const word = (name: string) =>
    lines.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1);
  const os = (name: string) =>
    unquote(lines.find((line) => line.startsWith(`${name}=`))?.slice(name.length + 1));
  const [, hostname = "", kernel = "", machine = ""] = (word("uname") ?? "").split(" ");
  const facts = FactsSchema.safeParse({
    hostname,
    os: {
      id: os("ID") || "unknown",
      version: os("VERSION_ID"),
      codename: os("VERSION_CODENAME"),
    },
    arch: ARCH[machine] ?? machine,
    kernel,
    cgroup: word("cgroup"),
    bootId: word("boot"),
    memory: Math.floor(Number(word("memory")) / 1024),
    cpus: Number(word("cpus")),
  });
  if (facts.success) return facts.data;
  const wrong = facts.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  throw new PlaybookError("PB_FACTS_INVALID", [wrong.join("; ")], { output: lines.slice(0, 20) });
}

const unquote = (value = ""): string => value.trim().replace(/^(["'])(.*)\1$/, "$2");
