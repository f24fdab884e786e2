/** What the lab runs; each version was proved here. */
export const labVersions = {
  kubernetes: "v1.36.3",
  etcd: "v3.6.8",
  coredns: "v1.14.2",
  containerd: "v2.2.1",
  cniPlugins: "v1.9.1",
  flannel: "v0.26.7",
  registry: "v3.0.0",
} as const;

export type LabVersions = { readonly [K in keyof typeof labVersions]: string };
