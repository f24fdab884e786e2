import { nodeProgram } from "../node-program.ts";
import type { ServiceSettings } from "../registry/registry.ts";
import type { LabService } from "../service.ts";

/** The lab's file mirror: serves the folder that holds each upstream URL's file at HOST/PATH. */
export function mirrorService({ address, port, dir }: ServiceSettings): LabService {
  const settings = ["--address", address, "--port", String(port), "--dir", dir];
  return {
    name: "mirror",
    command: [...nodeProgram(new URL("./serve.ts", import.meta.url)), ...settings],
    readyUrl: `http://[${address}]:${port}/`,
  };
}
