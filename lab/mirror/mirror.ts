import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import type { ServiceSettings } from "../registry/registry.ts";
import type { LabService } from "../service.ts";

/** The lab's file mirror: serves the folder that holds each upstream URL's file at HOST/PATH. */
export function mirrorService({ address, port, dir }: ServiceSettings): LabService {
  // serve.ts where this file is a source, serve.js where it is built.
  const program = fileURLToPath(new URL(`./serve${extname(import.meta.url)}`, import.meta.url));
  return {
    name: "mirror",
    command: [
      process.execPath,
      program,
      ...["--address", address],
      ...["--port", String(port)],
      ...["--dir", dir],
    ],
    readyUrl: `http://[${address}]:${port}/`,
  };
}
