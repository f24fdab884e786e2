import { userInfo } from "node:os";
import { afterAll, beforeAll } from "vitest";
import { sshTransport } from "#engine/host/ssh/transport.ts";
import { conformance } from "../../../../support/conformance.ts";
import { type Sshd, startSshd } from "../../../../support/sshd.ts";

let sshd: Sshd;
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd.stop());

conformance("ssh", {
  connect: () => sshTransport({ configFiles: [] }).connect(sshd.target),
  folder: `/tmp/conformance-ssh-${process.pid}`,
  owner: userInfo().username,
  realShell: true,
});
