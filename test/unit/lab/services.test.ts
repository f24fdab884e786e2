import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isAlive } from "#engine/host/process-identity.ts";
import { until } from "#lab/machine/until.ts";
import type { LabService } from "#lab/service.ts";
import { startService, stopNotedServices, stopService } from "#lab/services.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lab-services-"));
});
afterEach(async () => {
  await stopNotedServices(folder);
  await rm(folder, { recursive: true });
});

const freePort = () =>
  new Promise<number>((resolve) => {
    const server = createServer().listen(0, "::1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });

async function echoService(script = ""): Promise<LabService> {
  const port = await freePort();
  const code = `${script}
    process.stdout.write("started for " + process.env.WHO + "\\n");
    require("node:http").createServer((_, response) => response.end("ok")).listen(${port}, "::1");`;
  return {
    name: "echo",
    command: [process.execPath, "-e", code],
    env: { WHO: "a lab" },
    readyUrl: `http://[::1]:${port}/`,
  };
}

describe("services", () => {
  it("run on their own until they are stopped, with their output in a log", async () => {
    const service = await echoService();
    const state = await startService(service, folder);
    expect(await (await fetch(service.readyUrl)).text()).toBe("ok");
    expect(await readFile(state.log, "utf8")).toBe("started for a lab\n");
    await stopService(state);
    expect(await isAlive(state.process)).toBe(false);
    await stopService(state);
  });

  it("that end at once are an error with the end of their log", async () => {
    const service = await echoService(
      `process.stderr.write("no such folder\\n"); process.exit(3);`,
    );
    const failure = await startService(service, folder).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: "PB_LAB_SERVICE_FAILED",
      context: { output: ["no such folder"] },
    });
  });

  it("whose program does not exist are an error that names it", async () => {
    const service = { ...(await echoService()), command: ["/no/such/program"] as const };
    const failure = await startService(service, folder).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "PB_LAB_SERVICE_FAILED" });
    expect(JSON.stringify(failure)).toContain("/no/such/program");
  });

  it("are stopped by their notes alone, without any state", async () => {
    const state = await startService(await echoService(), folder);
    await stopNotedServices(folder);
    const gone = async () => ((await isAlive(state.process)) ? undefined : true);
    expect(await until(gone, { seconds: 5 })).toBe(true);
  });
});
