/** Serves one folder over HTTP: `node serve.ts --address ADDRESS --port PORT --dir DIR`. Runs until it is ended. */
import { once } from "node:events";
import { parseArgs } from "node:util";
import { mirrorServer } from "./server.ts";

const { values } = parseArgs({
  options: {
    address: { type: "string" },
    port: { type: "string" },
    dir: { type: "string" },
  },
});
const { address, port, dir } = values;
if (address === undefined || port === undefined || dir === undefined)
  throw new Error("usage: serve --address ADDRESS --port PORT --dir DIR");

const server = mirrorServer(dir);
for (const signal of ["SIGTERM", "SIGINT"] as const)
  process.once(signal, () => {
    server.close();
    server.closeAllConnections();
  });
server.listen({ host: address, port: Number(port), ipv6Only: true });
await once(server, "listening");
