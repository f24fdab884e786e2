import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { Secret } from "#engine/index.ts";
import {
  certificateKey,
  initDocument,
  joinDocument,
} from "../../../../support/kubeadm-documents.ts";

const versions = ["v1.30.14", "v1.31.0", "v1.36.3"];

describe("as rendered", () => {
  test.each(versions)("init, %s", async (version) => {
    await expect(initDocument(version)).toMatchFileSnapshot(`./snapshots/init-${version}.yaml`);
  });
  test.each(versions)("control plane join, %s", async (version) => {
    const rendered = joinDocument(version, { certificateKey }).reveal();
    await expect(rendered).toMatchFileSnapshot(`./snapshots/join-${version}.yaml`);
  });
});

test("a worker's join knows no certificate key", () => {
  const [join] = parseAllDocuments(joinDocument("v1.36.3").reveal());
  expect(join?.toJS()).not.toHaveProperty("controlPlane");
});

test.each(["123456.7890123456789012", "123456.1234567890123e45"])(
  "a token that looks like a number, as %s, is text to kubeadm",
  (token) => {
    const text = joinDocument("v1.36.3", { token: new Secret(token) }).reveal();
    const [join] = parseAllDocuments(text, { version: "1.1" });
    expect(join?.getIn(["discovery", "bootstrapToken", "token"])).toBe(token);
  },
);

test("a join configuration cannot be printed", () => {
  expect(inspect(joinDocument("v1.36.3"))).toBe("[secret]");
  expect(() => `${joinDocument("v1.36.3")}`).toThrow("turned into text");
});

test("what the operator gives for kubelet and kube-proxy wins", () => {
  const rendered = initDocument("v1.36.3", {
    kubelet: { cgroupDriver: "cgroupfs" },
    kubeProxy: { mode: "iptables" },
  });
  expect(rendered).toContain("cgroupDriver: cgroupfs");
  expect(rendered).toContain("mode: iptables");
});
