/**
 * The floor: what this work costs with nothing around it. One connection a host by plain ssh2, one script that looks at
 * all 20 things with as few programs as it can; where something differs, one that makes it so, and a second look.
 * `node floor.mjs JOB.json`
 */
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { type Client, Client as SshClient } from "ssh2";
import type { FloorJob } from "./job.ts";

const job: FloorJob = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8"));
const privateKey = readFileSync(job.identityFile);

const changed = await Promise.all(job.hosts.map((host) => onHost(host)));
process.stdout.write(`${JSON.stringify({ changed: changed.filter(Boolean).length })}\n`);

async function onHost({ address, port, key }: FloorJob["hosts"][number]): Promise<boolean> {
  const sock = connect({ host: address, port, noDelay: true });
  const client = new SshClient();
  await new Promise<void>((resolve, reject) => {
    client.once("ready", resolve).once("error", reject);
    client.connect({
      sock,
      username: "root",
      privateKey,
      hostVerifier: (shown: Buffer) => shown.toString("base64") === key,
    });
  });
  const differs = job.check !== undefined && (await run(client, job.check)) !== job.wanted;
  if (differs) {
    await run(client, job.apply);
    const after = await run(client, job.check ?? "");
    if (after !== job.wanted) throw new Error(`${address} differs still:\n${after}`);
  }
  // What it is told last need not be waited for.
  client.end();
  sock.destroySoon();
  return differs;
}

function run(client: Client, script: string): Promise<string> {
  return new Promise((resolve, reject) => {
    client.exec(script, (error, channel) => {
      if (error) {
        reject(error);
        return;
      }
      let printed = "";
      channel.on("data", (chunk: Buffer) => {
        printed += chunk.toString("latin1");
      });
      channel.stderr.on("data", (chunk: Buffer) => {
        printed += chunk.toString("latin1");
      });
      channel.once("close", () => resolve(printed));
      channel.end();
    });
  });
}
