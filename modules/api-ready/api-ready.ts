/** Whether the API can be used. */
import { z } from "zod";
import { defineProbe } from "#engine/index.ts";
import { kubectl, lastLine } from "../kubectl.ts";
import { Url } from "../params.ts";

export const apiReady = defineProbe({
  name: "api-ready",
  summary: "The API server says that it is ready; asked with the administrator's credentials.",
  example: `use.apiReady({ server: "https://[2001:db8:1::100]:6443" })`,
  params: z.strictObject({
    server: Url.optional().describe("As https://…; the endpoint of admin.conf unless given."),
  }),

  async check(host, { server }) {
    const at = server === undefined ? [] : ["--server", server];
    const { code, stdout, stderr } = await host.run(kubectl(...at, "get", "--raw", "/readyz"));
    const where = server ?? "the endpoint";
    return code === 0 && stdout.trim() === "ok"
      ? { holds: true, saw: `${where} is ready` }
      : { holds: false, saw: `${where}: ${lastLine(stderr) || lastLine(stdout)}` };
  },
});
