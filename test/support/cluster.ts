import { readFileSync } from "node:fs";
import { request } from "node:https";
import { parse } from "yaml";
import { z } from "zod";

const Kubeconfig = z.object({
  clusters: z.tuple([
    z.object({
      cluster: z.object({ server: z.string(), "certificate-authority-data": z.string() }),
    }),
  ]),
  users: z.tuple([
    z.object({
      user: z.object({ "client-certificate-data": z.string(), "client-key-data": z.string() }),
    }),
  ]),
});

/** What an administrator's kubeconfig lets one do, without kubectl: authenticated GETs with a deadline. */
export class ClusterAccess {
  readonly #config: z.output<typeof Kubeconfig>;

  constructor(path: string) {
    this.#config = Kubeconfig.parse(parse(readFileSync(path, "utf8")));
  }

  get server(): string {
    return this.#config.clusters[0].cluster.server;
  }

  /** The private key as it stands in the file: what no output may show. */
  get keyData(): string {
    return this.#config.users[0].user["client-key-data"];
  }

  /** The body of a 200; anything else rejects, silence after `timeoutMs` too. */
  get(path: string, timeoutMs = 5000): Promise<string> {
    const { user } = this.#config.users[0];
    const bytes = (text: string) => Buffer.from(text, "base64");
    return new Promise((resolve, reject) => {
      const call = request(
        new URL(path, this.server),
        {
          ca: bytes(this.#config.clusters[0].cluster["certificate-authority-data"]),
          cert: bytes(user["client-certificate-data"]),
          key: bytes(user["client-key-data"]),
          agent: false,
          signal: AbortSignal.timeout(timeoutMs),
        },
        (answer) => {
          let body = "";
          answer.setEncoding("utf8").on("data", (text: string) => {
            body += text;
          });
          answer.once("end", () =>
            answer.statusCode === 200
              ? resolve(body)
              : reject(new Error(`${path}: ${answer.statusCode} ${body.slice(0, 200)}`)),
          );
          answer.once("error", reject);
        },
      );
      call.once("error", reject);
      call.end();
    });
  }
}
