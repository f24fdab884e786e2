/** flannel as upstream deploys it, for one family and without its own CNI plugin. */
import { familyOf } from "#engine/net/ip.ts";

const namespace = "kube-flannel";
const name = "kube-flannel-ds";
const labels = { app: "flannel" };

/** What flannel is deployed with. */
export interface FlannelWant {
  readonly image: string;
  /** The cluster's pod prefix. */
  readonly pods: string;
}

/** Manifests for kubernetes-object. @example use.kubernetesObject({ objects: use.flannelObjects(want) }) */
export const flannelObjects = ({ image, pods }: FlannelWant) => [
  {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: {
      name: namespace,
      labels: { "pod-security.kubernetes.io/enforce": "privileged" },
    },
  },
  ...access,
  {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "kube-flannel-cfg", namespace },
    data: { "net-conf.json": netConf(pods) },
  },
  {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: { name, namespace, labels },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: pod(image) },
    },
  },
];

const access = [
  { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "flannel", namespace } },
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRole",
    metadata: { name: "flannel" },
    rules: [
      { apiGroups: [""], resources: ["pods"], verbs: ["get"] },
      { apiGroups: [""], resources: ["nodes"], verbs: ["get", "list", "watch"] },
      { apiGroups: [""], resources: ["nodes/status"], verbs: ["patch"] },
    ],
  },
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: { name: "flannel" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "flannel" },
    subjects: [{ kind: "ServiceAccount", name: "flannel", namespace }],
  },
];

const netConf = (pods: string): string => {
  const ipv6 = familyOf(pods) === "IPv6";
  return JSON.stringify({
    EnableIPv4: !ipv6,
    EnableIPv6: ipv6,
    ...(ipv6 ? { IPv6Network: pods } : { Network: pods }),
    EnableNFTables: true,
    Backend: { Type: "vxlan" },
  });
};

const fromField = (field: string, fieldPath: string) => ({
  name: field,
  valueFrom: { fieldRef: { fieldPath } },
});

const pod = (image: string) => ({
  hostNetwork: true,
  priorityClassName: "system-node-critical",
  tolerations: [{ operator: "Exists", effect: "NoSchedule" }],
  serviceAccountName: "flannel",
  containers: [
    {
      name: "kube-flannel",
      image,
      command: ["/opt/bin/flanneld"],
      // The node's own address: the first one of a device may be the virtual IP.
      args: ["--ip-masq", "--kube-subnet-mgr", "--iface=$(HOST_IP)"],
      env: [
        fromField("POD_NAME", "metadata.name"),
        fromField("POD_NAMESPACE", "metadata.namespace"),
        fromField("HOST_IP", "status.hostIP"),
      ],
      resources: { requests: { cpu: "100m", memory: "50Mi" } },
      securityContext: { privileged: false, capabilities: { add: ["NET_ADMIN", "NET_RAW"] } },
      volumeMounts: [
        { name: "run", mountPath: "/run/flannel" },
        { name: "config", mountPath: "/etc/kube-flannel" },
      ],
    },
  ],
  volumes: [
    { name: "run", hostPath: { path: "/run/flannel", type: "DirectoryOrCreate" } },
    { name: "config", configMap: { name: "kube-flannel-cfg" } },
  ],
});
