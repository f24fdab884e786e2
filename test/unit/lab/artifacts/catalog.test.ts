import { expect, test } from "vitest";
import { labArtifacts } from "#lab/artifacts/catalog/all.ts";
import { labVersions } from "#lab/versions.ts";

const paths = (arch: "amd64" | "arm64") =>
  Object.values(labArtifacts(labVersions, arch)).flatMap(({ files }) =>
    files.flatMap(({ path, checksums }) => [path, checksums]),
  );

test("files stand where upstream has them", () => {
  expect(paths("amd64")).toEqual(
    expect.arrayContaining([
      "dl.k8s.io/release/v1.36.3/bin/linux/amd64/kubeadm",
      "dl.k8s.io/release/v1.36.3/bin/linux/amd64/kubeadm.sha256",
      "github.com/etcd-io/etcd/releases/download/v3.6.8/etcd-v3.6.8-linux-amd64.tar.gz",
      "github.com/etcd-io/etcd/releases/download/v3.6.8/SHA256SUMS",
      "github.com/containerd/containerd/releases/download/v2.2.1/containerd-2.2.1-linux-amd64.tar.gz",
      "github.com/containerd/containerd/releases/download/v2.2.1/containerd-2.2.1-linux-amd64.tar.gz.sha256sum",
      "github.com/containernetworking/plugins/releases/download/v1.9.1/cni-plugins-linux-amd64-v1.9.1.tgz",
      "github.com/containernetworking/plugins/releases/download/v1.9.1/cni-plugins-linux-amd64-v1.9.1.tgz.sha256",
      "github.com/coredns/coredns/releases/download/v1.14.2/coredns_1.14.2_linux_amd64.tgz",
    ]),
  );
});

test("another processor has files of its own", () => {
  const shared = paths("arm64").filter((path) => paths("amd64").includes(path));
  expect(shared).toEqual(["github.com/etcd-io/etcd/releases/download/v3.6.8/SHA256SUMS"]);
});
