import { stringify } from "yaml";
import { apiVersion, yamlStyle } from "./api-version.ts";

/** What `kubeadm init phase upload-certs` must be told so that it guesses nothing; a key is appended on the host. */
export const uploadConfig = (want: { version: string; advertiseAddress: string }): string =>
  [
    {
      apiVersion: apiVersion(want.version),
      kind: "ClusterConfiguration",
      kubernetesVersion: want.version,
    },
    {
      apiVersion: apiVersion(want.version),
      kind: "InitConfiguration",
      localAPIEndpoint: { advertiseAddress: want.advertiseAddress },
    },
  ]
    .map((document) => stringify(document, yamlStyle))
    .join("---\n");
