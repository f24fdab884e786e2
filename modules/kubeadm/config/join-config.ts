import { stringify } from "yaml";
import { Secret, secretText } from "#engine/index.ts";
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
    apiServerEndpoint: ${scalar(`${want.endpoint.name}:${want.endpoint.port}`)}
    token: ${new Secret(scalar(want.token.reveal()))}
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

/** Text in quotes where YAML would read it as something else, as a token of digits. */
const scalar = (text: string): string => stringify(text, yamlStyle).trimEnd();
