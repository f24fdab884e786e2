/** The workload of the network proof: upstream's network test program on every node, behind a Service. */

/** Where it lives, and what it is called. */
export const proof = {
  namespace: "run-playbook-proof",
  name: "agnhost",
  /** The container's port. */
  port: 8080,
} as const;

const labels = { app: proof.name };
const metadata = { name: proof.name, namespace: proof.namespace };

/** Manifests for kubernetes-object. @example use.kubernetesObject({ objects: use.proofWorkload(image) }) */
export const proofWorkload = (image: string) => [
  { apiVersion: "v1", kind: "Namespace", metadata: { name: proof.namespace } },
  {
    apiVersion: "v1",
    kind: "Service",
    metadata,
    spec: {
      type: "NodePort",
      selector: labels,
      ports: [{ name: "http", port: 80, targetPort: proof.port }],
    },
  },
  {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata,
    spec: {
      selector: { matchLabels: labels },
      updateStrategy: { rollingUpdate: { maxUnavailable: "100%" } },
      template: { metadata: { labels }, spec: pod(image) },
    },
  },
];

const pod = (image: string) => ({
  // On every node, whatever it is kept for: a node without a proof is a node without a working network.
  tolerations: [{ operator: "Exists" }],
  terminationGracePeriodSeconds: 1,
  automountServiceAccountToken: false,
  containers: [
    {
      name: proof.name,
      image,
      args: ["netexec", `--http-port=${proof.port}`],
      ports: [{ containerPort: proof.port }],
      readinessProbe: { httpGet: { path: "/hostname", port: proof.port }, periodSeconds: 2 },
      securityContext: {
        allowPrivilegeEscalation: false,
        capabilities: { drop: ["ALL"] },
        runAsNonRoot: true,
        runAsUser: 65_534,
        seccompProfile: { type: "RuntimeDefault" },
      },
    },
  ],
});
