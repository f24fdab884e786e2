import { z } from "zod";
import { PlaybookError } from "../errors/error.ts";
import type { Connection } from "./connection.ts";
import type { Facts } from "./host.ts";

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

/** What is known of a host from the first moment. */
export interface Acquaintance {
  readonly facts: Facts;
  /** A change that could cut the connection is under way there: of another run, or of one that is gone. */
  readonly guarded: boolean;
  /** Other framed shells are there: of other runs, of one that is gone, or of this one's connection before. */
  readonly shared: boolean;
}

/** Reads how a host introduced itself. @throws PB_FACTS_INVALID */
export async function readFacts(connection: Connection): Promise<Acquaintance> {
  const printed = await connection.introduction();
  return {
    facts: parseFacts(printed),
    guarded: /^guard active$/m.test(printed),
    shared: /^calls others$/m.test(printed),
  };
}

/** An operating system that names itself nowhere is "unknown": the modules decide whether they can do with that. */
export function parseFacts(printed: string): Facts {
  const lines = printed.split("\n");
  const word = (name: string) =>
    lines.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1);
  const os = (name: string) =>
    unquote(lines.find((line) => line.startsWith(`${name}=`))?.slice(name.length + 1));
  const [, hostname = "", kernel = "", machine = ""] = (word("uname") ?? "").split(" ");
  const online = word("online");
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
    cpus: online === undefined ? Number(word("cpus")) : countOf(online),
  });
  if (facts.success) return facts.data;
  const wrong = facts.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  throw new PlaybookError("PB_FACTS_INVALID", [wrong.join("; ")], { output: lines.slice(0, 20) });
}

const unquote = (value = ""): string => value.trim().replace(/^(["'])(.*)\1$/, "$2");

/** How many a list of the kernel's names, as "0-3,8": NaN where it is none. */
function countOf(list: string): number {
  const ranges = list.split(",").map((range) => /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(range));
  return ranges.reduce(
    (sum, range) => sum + Number(range?.[2] ?? range?.[1]) - Number(range?.[1]) + 1,
    0,
  );
}
