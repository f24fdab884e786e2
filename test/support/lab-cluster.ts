import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inventorySource } from "#lab/inventory-file.ts";
import { type Lab, openLab } from "#lab/lab.ts";
import type { LabView } from "#lab/view.ts";
import { type Played, play } from "./cli.ts";

/** A piece of the lab's own inventory, and what the operator wrote in its place. */
export type Edit = readonly [was: string, is: string];

/** A lab, the inventories that an operator makes of it, and bootstrap.ts run with them. */
export class LabCluster implements AsyncDisposable {
  readonly lab: Lab;
  readonly folder: string;

  constructor(name: string) {
    this.lab = openLab(name);
    this.folder = mkdtempSync(join(tmpdir(), `run-playbook-${name}-`));
  }

  /** A fresh lab of just these hosts. */
  async up(...hosts: string[]): Promise<LabView> {
    await this.lab.down();
    return this.lab.up({ hosts, yes: true });
  }

  /** Runs bootstrap.ts with the lab's inventory. */
  bootstrap(...args: string[]): Promise<Played> {
    return this.bootstrapWith([], ...args);
  }

  /** The same after the operator's edits of the inventory. @throws where the inventory has no such piece */
  async bootstrapWith(edits: readonly Edit[], ...args: string[]): Promise<Played> {
    const kubeconfig = join(this.folder, "kubeconfig");
    return play([
      "bootstrap.ts",
      ...["--inventory", await this.inventory(edits)],
      ...["--yes", "--param", `kubeconfig=${kubeconfig}`],
      ...args,
    ]);
  }

  /** What a program printed inside a host. @throws where it fails */
  async on(host: string, ...argv: [string, ...string[]]): Promise<string> {
    return this.#exec(host, argv);
  }

  /** The same for a line of shell. */
  sh(host: string, line: string): Promise<string> {
    return this.#exec(host, ["sh", "-c", line]);
  }

  /** kubectl as the cluster's administrator, on the first control plane. */
  kubectl(...args: string[]): Promise<string> {
    return this.#exec("cp1", [...KUBECTL, ...args]);
  }

  /** The same with manifests on its stdin. */
  kubectlWith(stdin: string, ...args: string[]): Promise<string> {
    return this.#exec("cp1", [...KUBECTL, ...args], stdin);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.lab.down();
    rmSync(this.folder, { recursive: true });
  }

  async #exec(host: string, argv: readonly [string, ...string[]], stdin?: string): Promise<string> {
    const options = { seconds: 120, ...(stdin === undefined ? {} : { stdin }) };
    const { code, stdout, stderr } = await this.lab.exec(host, argv, options);
    if (code !== 0) throw new Error(`${host}: ${argv.join(" ")}: exit ${code}\n${stdout}${stderr}`);
    return stdout.trim();
  }

  /** A program on a host that holds a port, as "[::]:6443", until {@link unlisten}. */
  listen(host: string, address: string): Promise<string> {
    const unit = ["systemd-run", "--unit=listener", "--service-type=exec"] as const;
    return this.#exec(host, [...unit, "systemd-socket-activate", "--accept", "-l", address, "cat"]);
  }

  /** Ends it. */
  unlisten(host: string): Promise<string> {
    return this.#exec(host, ["systemctl", "stop", "listener"]);
  }

  /** Writes the lab's inventory after the operator's edits. @throws where it has no such piece */
  async inventory(edits: readonly Edit[]): Promise<string> {
    const file = join(this.folder, "hosts.ts");
    const own = inventorySource(await this.lab.view());
    writeFileSync(
      file,
      edits.reduce((text, [was, is]) => {
        if (!text.includes(was)) throw new Error(`the inventory has no ${was}`);
        return text.replaceAll(was, is);
      }, own),
    );
    return file;
  }
}

const KUBECTL = ["kubectl", "--kubeconfig", "/etc/kubernetes/admin.conf"] as const;

/** Every error that a run showed, root causes only: "CODE on host: message". */
export const shownErrors = ({ events }: Played): string[] =>
  events.flatMap((event) =>
    "error" in event && event.error
      ? [`${event.error.code} on ${"host" in event ? event.host : "-"}: ${event.error.message}`]
      : [],
  );

/** One line for the reader of a test's log. */
export const tellRun = (what: string, { ms, recap }: Played): void => {
  process.stderr.write(
    `# ${what}: ${(ms / 1000).toFixed(1)} s, ${recap.changed} changed, ${recap.failed} failed, exit ${recap.exitCode}\n`,
  );
};
