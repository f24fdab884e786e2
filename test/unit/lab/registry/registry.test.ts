import { expect, test } from "vitest";
import { mirrorService } from "#lab/mirror/mirror.ts";
import { registryName } from "#lab/registry/push.ts";
import { registryService } from "#lab/registry/registry.ts";

test.each([
  ["registry.k8s.io/pause:3.10.2", "pause", "3.10.2"],
  ["registry.k8s.io/coredns/coredns:v1.14.2", "coredns/coredns", "v1.14.2"],
  ["ghcr.io/flannel-io/flannel:v0.26.7", "flannel-io/flannel", "v0.26.7"],
  ["[fd00::1]:5000/pause:3.10.2", "pause", "3.10.2"],
])("%s is %s:%s in the registry", (ref, name, tag) => {
  expect(registryName(ref)).toEqual({ name, tag });
});

test("a name without a host or a tag is refused", () => {
  expect(() => registryName("pause:3.10.2")).toThrow("HOST/NAME:TAG");
  expect(() => registryName("registry.k8s.io/pause")).toThrow("HOST/NAME:TAG");
});

test("services listen on the lab's address only", () => {
  const settings = { address: "fd00:6:6::1", port: 5000, dir: "/cache/registry" };
  expect(registryService(settings)).toMatchObject({
    name: "registry",
    command: ["/cache/registry/registry", "serve", "/cache/registry/config.yml"],
    env: { REGISTRY_HTTP_ADDR: '"[fd00:6:6::1]:5000"', OTEL_TRACES_EXPORTER: "none" },
    readyUrl: "http://[fd00:6:6::1]:5000/v2/",
  });
  expect(mirrorService(settings).command).toEqual(
    expect.arrayContaining(["--address", "fd00:6:6::1", "--port", "5000"]),
  );
});
