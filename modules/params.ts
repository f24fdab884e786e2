/** Schemas that several modules' params share. */
import { z } from "zod";
import type { Duration } from "#engine/index.ts";

/** A path on the host. */
export const AbsolutePath = z
  .string()
  .regex(/^\/[^\0\n]*$/, "expected an absolute path, as /etc/hosts")
  .refine((path) => !path.split("/").includes(".."), "expected a path without ..");

/** One line of text: what goes into a line of a configuration file must not start another. */
export const Line = z.string().regex(/^[^\0\r\n]*$/, "expected a single line");

/** Permission bits, written as 0o644. */
export const Mode = z.int().min(0).max(0o7777);

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
  (value) => typeof value === "string" && /^\d+(\.\d+)?(ms|s|m|h|d)$/.test(value),
  "expected a duration such as 500ms, 30s, 5m or 2h",
);

/** The systemd name of a unit, with its ending: "kubelet.service". */
export const UnitName = z
  .string()
  .regex(
    /^[\w.@:\\-]+\.(service|timer|socket|mount|path|target|swap|slice)$/,
    "expected a unit with its ending, as kubelet.service",
  );

/** 64 hexadecimal digits. */
export const Sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/i, "expected 64 hexadecimal digits")
  .transform((text) => text.toLowerCase());

/** A web address; white space and quotes have no place in one. */
export const Url = z.string().regex(/^https?:\/\/[^\s"'\\]+$/, "expected an http or https address");
