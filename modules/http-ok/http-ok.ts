/** Whether a web address answers well, as seen from a host. */
import { z } from "zod";
import { defineProbe, PlaybookError, toMs } from "#engine/index.ts";
import { DurationText, FilePath, Line, Url } from "../params.ts";

export const httpOk = defineProbe({
  name: "http-ok",
  summary:
    "A GET from the host answers with one of the given statuses, and with a given text in the body.",
  example: `use.httpOk({ url: "https://[::1]:6443/livez", caFile: "/etc/kubernetes/pki/ca.crt" })`,
  params: z.strictObject({
    url: Url.describe("http or https; IPv6 literals in brackets."),
    statuses: z
      .array(z.int().min(100).max(599))
      .min(1)
      .default([200])
      .describe("What counts as well."),
    contains: Line.optional().describe("A text that the body must hold."),
    caFile: FilePath.optional().describe(
      "On the host: the authority to trust, in place of the system's.",
    ),
    insecure: z.boolean().default(false).describe("Does not check the certificate."),
    timeout: DurationText.default("5s").describe("For one request."),
  }),

  async check(host, { url, statuses, contains, caFile, insecure, timeout }) {
    const trust = [...(insecure ? ["--insecure"] : []), ...(caFile ? ["--cacert", caFile] : [])];
    const limit = ["--max-time", String(toMs(timeout) / 1000)];
    const format = ["--write-out", "\n%{http_code}"];
    const { code, stdout, stderr } = await host.run({
      argv: [
        "curl",
        "--globoff",
        "--silent",
        "--show-error",
        ...trust,
        ...limit,
        ...format,
        "--",
        url,
      ],
    });
    if (code === 127)
      throw new PlaybookError("PB_TOOL_MISSING", ["curl", `it cannot ask ${url}`], {
        host: host.name,
      });
    if (code !== 0) return { holds: false, saw: stderr.trim() || `curl exited ${code}` };
    const cut = stdout.lastIndexOf("\n");
    const [body, status] = [stdout.slice(0, cut), Number(stdout.slice(cut + 1))];
    const right = statuses.includes(status);
    const holds = right && (contains === undefined || body.includes(contains));
    const lacks = right && !holds ? ` without "${contains}"` : "";
    return { holds, saw: `${url} answers ${status}${lacks}` };
  },
});
