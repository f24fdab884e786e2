import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A folder that is gone when the test leaves the block: `await using scratch = await scratchFolder()`. */
export async function scratchFolder() {
  const dir = await mkdtemp(join(tmpdir(), "run-playbook-test-"));
  return {
    dir,
    /** Writes files by their relative paths. */
    async write(files: Readonly<Record<string, string>>) {
      for (const [path, content] of Object.entries(files)) {
        await mkdir(dirname(join(dir, path)), { recursive: true });
        await writeFile(join(dir, path), content);
      }
    },
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }),
  };
}

/** Starts a server on a free port of [::1] and ends it with the block. */
export async function listening(server: Server) {
  server.listen({ host: "::1", port: 0 });
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://[::1]:${port}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
