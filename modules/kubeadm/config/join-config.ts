import { stringify } from "yaml";
import type { Secret } from "#engine/index.ts";
import { secretText } from "#engine/index.ts";
import { apiVersion, yamlStyle } from "./api-version.ts";
import { nodeRegistration } from "./init-config.ts";

/** What a host needs to join. */
export interface JoinConfig {
  readonly nodeName: string;
  readonly version: string;
  readonly criSocket: string;
  readonly advertiseAddress: string;
  readonly ignorePreflightErrors: readonly string[];
  readonly endpoint: { readonly name: string; readonly port: number };
  readonly caCertHash: string;
  readonly token: Secret;
  /** Given for a control plane: it opens the uploaded certificates. */
  readonly certificateKey?: Secret | undefined;
}

/** What `kubeadm join` is told, as YAML; secret as a whole, since it holds the token. */
export function joinConfig(want: JoinConfig): Secret {
  const plain = stringify(
    {
      apiVersion: apiVersion(want.version),
      kind: "JoinConfiguration",
      nodeRegistration: nodeRegistration(want),
    },
    yamlStyle,
  );
  const discovery = secretText`discovery:
  bootstrapToken:
    apiServerEndpoint: ${want.endpoint.name}:${want.endpoint.port}
    token: ${want.token}
    caCertHashes:
      - ${want.caCertHash}
`;
  if (want.certificateKey === undefined) return secretText`${plain}${discovery}`;
  return secretText`${plain}${discovery}controlPlane:
  localAPIEndpoint:
    advertiseAddress: ${JSON.stringify(want.advertiseAddress)}
    bindPort: ${want.endpoint.port}
  certificateKey: "${want.certificateKey}"
`;
}
