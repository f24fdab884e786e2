/** Simulated hosts: SSH servers in one process, on ports of [::1] from the given one on. `server.ts KEY FIRST COUNT` */
import { readFileSync } from "node:fs";
import ssh2, { type Connection } from "ssh2";
import { greeting, SimulatedShell } from "./host.ts";

const [keyFile = "", first = "", count = ""] = process.argv.slice(2);
const hostKeys = [readFileSync(keyFile)];

for (let port = Number(first); port < Number(first) + Number(count); port += 1) {
  const server = new ssh2.Server({ hostKeys }, serve);
  await new Promise<void>((resolve) => server.listen(port, "::1", resolve));
}
process.stdout.write("ready\n");
process.on("disconnect", () => process.exit());

function serve(client: Connection): void {
  client.on("error", () => undefined);
  client.on("authentication", (context) => context.accept());
  client.on("session", (accept) => {
    const session = accept();
    session.on("exec", (acceptExec, _, { command }) => {
      const channel = acceptExec();
      const shell = new SimulatedShell();
      channel.write(greeting(command));
      channel.on("data", (chunk: Buffer) => {
        for (const { stdout, stderr } of shell.hear(chunk.toString())) {
          channel.stderr.write(stderr);
          channel.write(stdout);
        }
      });
    });
  });
}
