import { z } from "zod";

export const Family = z
  .enum(["IPv4", "IPv6"])
  .default("IPv6")
  .describe("The only family that is allowed.");

/** The family of an address or prefix. */
export const familyOf = (text: string): "IPv4" | "IPv6" => (text.includes(":") ? "IPv6" : "IPv4");
