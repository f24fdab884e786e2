import * as http from "node:http";
import * as https from "node:https";

const IDLE_MS = 30_000;
const REDIRECTS = 5;

/** What is asked. */
interface Asking {
  /** GET unless given. */
  readonly method?: "GET" | "HEAD";
  readonly headers?: http.OutgoingHttpHeaders;
  readonly signal?: AbortSignal;
}

/** The way out of this machine: redirects are followed. */
export interface Upstream {
  ask(url: string, asking?: Asking): Promise<http.IncomingMessage>;
  close(): void;
}

/**
 * Through the proxy that the environment names for a URL (HTTPS_PROXY, HTTP_PROXY, but for what NO_PROXY lists), or
 * directly. `proxy` is a setting that wins over the environment's.
 */
export function openUpstream(
  environment: NodeJS.ProcessEnv,
  { proxy, keepAlive = true }: { readonly proxy?: string; readonly keepAlive?: boolean } = {},
): Upstream {
  const proxyEnv =
    proxy === undefined ? environment : { ...environment, http_proxy: proxy, https_proxy: proxy };
  const options = { keepAlive, maxSockets: 8, proxyEnv };
  const plain = new http.Agent(options);
  const secure = new https.Agent(options);

  const once = (url: URL, asking: Asking) =>
    new Promise<http.IncomingMessage>((resolve, reject) => {
      const request =
        url.protocol === "https:"
          ? https.request(url, { ...asking, agent: secure }, resolve)
          : http.request(url, { ...asking, agent: plain }, resolve);
      request.setTimeout(IDLE_MS, () =>
        request.destroy(new Error(`no answer from ${url.host} in ${IDLE_MS / 1000} s`)),
      );
      request.once("error", reject);
      request.end();
    });

  return {
    async ask(url, asking = {}) {
      let at = new URL(url);
      for (let hop = 0; hop <= REDIRECTS; hop += 1) {
        const answer = await once(at, asking);
        const next = answer.headers.location;
        const moved = [301, 302, 303, 307, 308].includes(answer.statusCode ?? 0);
        if (!moved || next === undefined) return answer;
        answer.resume();
        at = new URL(next, at);
      }
      throw new Error(`${url} is redirected more than ${REDIRECTS} times`);
    },
    close() {
      plain.destroy();
      secure.destroy();
    },
  };
}
