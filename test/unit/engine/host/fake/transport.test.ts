import { FakeHost } from "#engine/host/fake/host.ts";
import { fakeTransport } from "#engine/host/fake/transport.ts";
import { conformance } from "../../../../support/conformance.ts";

const web = new FakeHost();

conformance("fake", {
  connect: () => fakeTransport({ web }).connect({ name: "web", address: "web" }),
  folder: "/srv/conformance",
  owner: "root",
  realShell: false,
});
