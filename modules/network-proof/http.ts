import { z } from "zod";
import { type Host, script } from "#engine/index.ts";
import { HostAddr } from "#engine/net/host-addr.ts";

const EACH = `# http-each
for url; do
  printf '%s ' "$url"
  curl --globoff --silent --show-error --noproxy '*' --max-time 3 "$url" 2>&1 | tr -d '\\n'
  echo
done`;

/** An http URL with the address in brackets where it needs them. */
export const httpUrl = (address: string, port: number, path: string): string =>
  `http://${HostAddr.parse(address).hostPort(port)}${path}`;

/** Fetches each from the host, one after the other, 3 s each at most; what came back, errors as curl words them. */
export async function getEach(host: Host, urls: readonly string[]): Promise<string[]> {
  const lines = (await host.text(script(EACH, ...urls))).split("\n");
  return urls.map((url, index) => lines[index]?.slice(url.length + 1) ?? "");
}

const Dialled = z.object({
  responses: z.array(z.string()).default([]),
  errors: z.array(z.string()).default([]),
});

/** What agnhost's /dial answered: the far end's answer, or why there is none. */
export function readDial(body: string): { answer?: string; error?: string } {
  const parsed = parseJson(body, Dialled);
  const [answer] = parsed?.responses ?? [];
  if (answer !== undefined && answer !== "") return { answer };
  return { error: parsed?.errors.join(", ") || body || "no answer" };
}

/** JSON of a known shape, or undefined for anything else (an error of curl's). */
export function parseJson<S extends z.ZodType>(body: string, schema: S): z.output<S> | undefined {
  if (!body.startsWith("{")) return undefined;
  try {
    return schema.safeParse(JSON.parse(body)).data;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return undefined;
    throw error;
  }
}

/** The path that makes a pod fetch something itself. */
export const dialPath = (to: { host: string; port: number; request: string }): string =>
  `/dial?${new URLSearchParams({ ...to, port: String(to.port), protocol: "http", tries: "1" })}`;
