import { z } from "zod";

export const Family = z
  .enum(["IPv4", "IPv6"])
  .default("IPv6")
  .describe("The only family that is allowed.");
