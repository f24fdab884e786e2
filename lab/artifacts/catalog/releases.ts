import { join } from "node:path";
import { type Arch, type Artifact, ownFile, type Workshop } from "../artifact.ts";
import { findGo } from "../go/toolchain.ts";
import { runProgram } from "../program.ts";
import { archivedPrograms, buildFromModule } from "./archives.ts";

const github = (project: string, version: string, file: string): string =>
  `github.com/${project}/releases/download/${version}/${file}`;

/** containerd, its shim and ctr. */
export function containerdArtifact(version: string, arch: Arch): Artifact {
  const file = `containerd-${version.slice(1)}-linux-${arch}.tar.gz`;
  const path = github("containerd/containerd", version, file);
  const module = "github.com/containerd/containerd/v2";
  return archivedPrograms({
    name: "containerd",
    version,
    file: { path, checksums: `${path}.sha256sum` },
    prefix: "bin/",
    buildMs: 89_000,
    programs: (go, _workshop, dir) =>
      buildFromModule(
        go,
        {
          module,
          version,
          packages: ["./cmd/containerd", "./cmd/containerd-shim-runc-v2", "./cmd/ctr"],
          tags: ["no_btrfs", "no_devmapper"],
          values: {
            [`${module}/version.Version`]: version,
            [`${module}/version.Package`]: "github.com/containerd/containerd",
          },
        },
        `${dir}/`,
      ),
  });
}

/** The standard CNI plugins. */
export function cniPluginsArtifact(version: string, arch: Arch): Artifact {
  const file = `cni-plugins-linux-${arch}-${version}.tgz`;
  const path = github("containernetworking/plugins", version, file);
  const module = "github.com/containernetworking/plugins";
  const plugins = {
    main: ["bridge", "dummy", "host-device", "ipvlan", "loopback", "macvlan", "ptp", "tap", "vlan"],
    ipam: ["dhcp", "host-local", "static"],
    meta: ["bandwidth", "firewall", "portmap", "sbr", "tuning", "vrf"],
  };
  return archivedPrograms({
    name: "cni-plugins",
    version,
    file: { path, checksums: `${path}.sha256` },
    prefix: "./",
    buildMs: 25_000,
    programs: (go, _workshop, dir) =>
      buildFromModule(
        go,
        {
          module,
          version,
          packages: Object.entries(plugins).flatMap(([kind, names]) =>
            names.map((name) => `./plugins/${kind}/${name}`),
          ),
          values: { [`${module}/pkg/utils/buildversion.BuildVersion`]: version },
        },
        `${dir}/`,
      ),
  });
}

/** CoreDNS, as an image's only program. */
export function corednsArtifact(version: string, arch: Arch): Artifact {
  const path = github("coredns/coredns", version, `coredns_${version.slice(1)}_linux_${arch}.tgz`);
  const module = "github.com/coredns/coredns";
  return archivedPrograms({
    name: "coredns",
    version,
    file: { path, checksums: `${path}.sha256` },
    prefix: "",
    buildMs: 128_000,
    programs: (go, _workshop, dir) =>
      buildFromModule(go, { module, version, packages: ["."] }, join(dir, "coredns")),
  });
}

/** The image registry that the lab runs. */
export function registryArtifact(version: string, arch: Arch): Artifact {
  const file = `registry_${version.slice(1)}_linux_${arch}.tar.gz`;
  const path = github("distribution/distribution", version, file);
  const module = "github.com/distribution/distribution/v3";
  return archivedPrograms({
    name: "registry",
    version,
    file: { path, checksums: `${path}.sha256` },
    prefix: "",
    buildMs: 96_000,
    programs: (go, _workshop, dir) =>
      buildFromModule(
        go,
        {
          module,
          version,
          packages: ["./cmd/registry"],
          values: { [`${module}/version.version`]: version },
        },
        join(dir, "registry"),
      ),
  });
}

/** flanneld: upstream publishes it without checksums, so it is built from source that go verifies. */
export function flannelArtifact(version: string, arch: Arch): Artifact {
  const file = ownFile("flanneld", version, arch);
  const module = "github.com/flannel-io/flannel";
  return {
    name: "flanneld",
    version,
    files: [file],
    released: false,
    buildMs: 97_000,
    async build(workshop, dir) {
      const go = await findGo(workshop, `flanneld ${version}`);
      await checkCompiler(workshop);
      const output = join(dir, file.path);
      const values = { [`${module}/pkg/version.Version`]: version };
      // Its udp backend is C.
      await buildFromModule(go, { module, version, packages: ["."], values, cgo: true }, output);
    },
  };
}

// Go's own word for it would be the last line of a long log.
const checkCompiler = ({ home, signal }: Workshop): Promise<string> =>
  runProgram(
    { argv: ["gcc", "--version"] },
    {
      signal,
      purpose: "build flanneld",
      logFile: join(home, "logs", "gcc.log"),
      timeoutMs: 10_000,
    },
  );
