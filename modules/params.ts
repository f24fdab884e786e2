/** Schemas that several modules' params share. */
import { z } from "zod";
import { type Duration, isDuration } from "#engine/index.ts";
import { canonicalUrl, hostFault } from "#engine/net/url-host.ts";

/** Whether an absolute path is spelled without what the kernel passes over. */
export const isPlainPath = (path: string): boolean =>
  path === "/" ||
  !path
    .slice(1)
    .split("/")
    .some((part) => ["", ".", ".."].includes(part));

/**
 * A path on the host, in its one plain spelling: what is compared is the text. Control characters and line ends have no
 * place in one that is written into files and logs.
 */
export const AbsolutePath = z
  .string()
  .regex(/^\/[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]*$/u, "expected an absolute path, as /etc/hosts")
  .refine(isPlainPath, "expected a path without //, /./, /../ or a slash at its end");

/** The same of a file, which / is not. */
export const FilePath = AbsolutePath.refine((path) => path !== "/", "expected the path of a file");

/**
 * One line of text: what goes into a line of a configuration file must not start another, by whatever its reader takes
 * for the end of a line.
 */
export const Line = z
  .string()
  .regex(/^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]*$/u, "expected a single line without control characters");

/** The content of a file, control characters and all; half a character could not be written as it is. */
export const Content = z
  .string()
  .refine((text) => text.isWellFormed(), "expected text without halves of characters");

/** What can be handed to a program: anything but NUL, which ends it. */
export const Argument = z.string().regex(/^[^\0]*$/, "expected text without NUL");

/** A program and its arguments; a program whose name begins with a dash would be taken for an option. */
export const Argv = z
  .tuple([Argument.regex(/^[^-]/, "expected the name of a program")], Argument)
  .describe("The program and its arguments; no shell reads them.");

/** Modes that people write, in decimal: `600` would be 0o1130, which nobody means. 400 is left out, as 0o620 is a tty's. */
const DECIMAL_MODES: ReadonlySet<number> = new Set([
  ...[440, 444, 500, 550, 555, 600, 640, 644, 660, 664, 666],
  ...[700, 710, 711, 750, 755, 770, 775, 777, 1777, 2755, 2775],
]);

/** Permission bits, written as 0o644. */
export const Mode = z
  .int()
  .min(0)
  .max(0o7777)
  .refine((mode) => !DECIMAL_MODES.has(mode), {
    error: ({ input }) => `expected an octal mode: write 0o${input}`,
  });

/** Those of a file with text, of which `keepFile` knows the default. */
export const FileMode = Mode.optional().describe(
  "Permission bits, as 0o640. Unless given 0o644, and 0o600 where a secret is in the file.",
);

/** A user or group: a name, or a number in text. */
export const Account = z
  .string()
  .regex(/^([a-z_][a-z0-9_.-]{0,31}\$?|\d{1,10})$/i, "expected a user or group name");

/** Whether the thing should be there. */
export const State = z
  .enum(["present", "absent"])
  .default("present")
  .describe("Whether it should be there.");

/** A length of time, as "30s". */
export const DurationText = z.custom<Duration>(
  isDuration,
  "expected a duration such as 500ms, 30s, 5m or 2h",
);

/** The systemd name of a unit, with its ending: "kubelet.service". */
export const UnitName = z
  .string()
  .regex(
    /^[\w.@:\\-]+\.(service|timer|socket|mount|path|target|swap|slice)$/,
    "expected a unit with its ending, as kubelet.service",
  );

/** A unit that can be started: no template of units, as x@.service. */
export const StartableUnit = UnitName.refine(
  (name) => !name.includes("@."),
  "this is a template of units: name one of its instances, as getty@tty1.service",
);

/** 64 hexadecimal digits. */
export const Sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/i, "expected 64 hexadecimal digits")
  .transform((text) => text.toLowerCase());

/** A web address in ASCII; white space, quotes and backslashes have no place in one. */
export const Url = z
  .string()
  .regex(/^https?:\/\/[!#-&(-[\]^_a-z{|}~]+$/i, "expected an http or https address")
  .superRefine((text, context) => {
    const message = hostFault(text);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  })
  // Asked only where all is well so far: what is no web address has no host.
  .transform((text) => (hostFault(text) === undefined ? canonicalUrl(text) : text));

/** A DNS name in lower case. */
export const DnsName = z
  .string()
  .max(253)
  .regex(
    /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/,
    "expected a DNS name in lower case, as w1 or w1.example.net",
  );
