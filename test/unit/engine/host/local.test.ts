import { userInfo } from "node:os";
import { localTransport } from "#engine/host/local.ts";
import { conformance } from "../../../support/conformance.ts";

conformance("local", {
  connect: () => localTransport().connect({ name: "here", address: "::1" }),
  folder: `/tmp/conformance-local-${process.pid}`,
  owner: userInfo().username,
  realShell: true,
});
