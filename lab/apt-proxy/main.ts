import { parseArgs } from "node:util";
import { openUpstream } from "../upstream.ts";
import { PackageCache } from "./cache.ts";
import { createAptProxy } from "./server.ts";

const { values } = parseArgs({
  options: {
    listen: { type: "string" },
    port: { type: "string" },
    cache: { type: "string" },
    archive: { type: "string", multiple: true },
    proxy: { type: "string" },
  },
});
const { listen, port, cache, archive = [], proxy } = values;
if (listen === undefined || port === undefined || cache === undefined)
  throw new Error("usage: main --listen ADDRESS --port PORT --cache FOLDER --archive NAME=URL…");

const archives = Object.fromEntries(
  archive.map((pair) => {
    const at = pair.indexOf("=");
    return [pair.slice(0, at), pair.slice(at + 1)];
  }),
);
const upstream = openUpstream(process.env, proxy === undefined ? {} : { proxy });
const log = (line: string) => process.stdout.write(`${new Date().toISOString()} ${line}\n`);
const server = createAptProxy({ cache: new PackageCache(cache), upstream, archives, log });
server.listen(Number(port), listen, () => log(`listening on [${listen}]:${port}`));

process.once("SIGTERM", () => {
  server.close();
  server.closeAllConnections();
  upstream.close();
});
