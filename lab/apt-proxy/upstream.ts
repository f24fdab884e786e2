import * as http from "node:http";
import * as https from "node:https";

const IDLE_MS = 30_000;
const REDIRECTS = 5;

/** Asks a mirror: one GET, redirects followed. */
export interface Upstream {
  get(url: string, headers: http.OutgoingHttpHeaders): Promise<http.IncomingMessage>;
  close(): void;
}

/** The way to the mirrors; `proxy` is apt's own setting, which wins over the environment's. */
export function openUpstream(environment: NodeJS.ProcessEnv, proxy: string | undefined): Upstream {
  const proxyEnv =
    proxy === undefined ? environment : { ...environment, http_proxy: proxy, https_proxy: proxy };
  const options = { keepAlive: true, maxSockets: 8, proxyEnv };
  const plain = new http.Agent(options);
  const secure = new https.Agent(options);

  const once = (url: URL, headers: http.OutgoingHttpHeaders) =>
    new Promise<http.IncomingMessage>((resolve, reject) => {
      const request =
        url.protocol === "https:"
          ? https.get(url, { agent: secure, headers }, resolve)
          : http.get(url, { agent: plain, headers }, resolve);
      request.setTimeout(IDLE_MS, () =>
        request.destroy(new Error(`no answer from ${url.host} in ${IDLE_MS / 1000} s`)),
      );
      request.once("error", reject);
    });

  return {
    async get(url, headers) {
      let at = new URL(url);
      for (let hop = 0; hop <= REDIRECTS; hop += 1) {
        const answer = await once(at, headers);
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
