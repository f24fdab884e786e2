import { userInfo } from "node:os";
import { afterAll, beforeAll } from "vitest";
import { sshTransport } from "#engine/host/ssh/transport.ts";
import { conformance } from "../../../../support/conformance.ts";
import { type Sshd, startSshd } from "../../../../support/sshd.ts";

let sshd: Sshd;
let german: Sshd;
beforeAll(async () => {
  sshd = await startSshd();
  german = await startSshd({ env: { LANG: "C.UTF-8", LANGUAGE: "de" } });
});
afterAll(() => Promise.all([sshd.stop(), german.stop()]));

conformance("ssh", {
  connect: () => sshTransport({ configFiles: [] }).connect(sshd.target),
  folder: `/tmp/conformance-ssh-${process.pid}`,
  owner: userInfo().username,
  realShell: true,
});

// Translations are there on a machine with locales; before gettext 0.22 they are used in C.UTF-8, too.
conformance("ssh to a host with LANGUAGE in its environment", {
  connect: () => sshTransport({ configFiles: [] }).connect(german.target),
  folder: `/tmp/conformance-german-${process.pid}`,
  owner: userInfo().username,
  realShell: true,
});
