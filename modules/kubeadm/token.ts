/** What a host needs to join: minted only while somebody waits for it. */
import { z } from "zod";
import { defineModule, run, Secret, script, secret, withStdin } from "#engine/index.ts";
import { HostAddress } from "../address.ts";
import { KubernetesVersion } from "./config/schema.ts";
import { uploadConfig } from "./config/upload-config.ts";
import { readInvitations } from "./invitations.ts";
import { adminConf, certificateKeyFile } from "./paths.ts";

const Params = z
  .strictObject({
    needed: z.boolean().describe("Whether a join is pending; where none is, nothing is minted."),
    controlPlane: z
      .boolean()
      .default(false)
      .describe("Whether a control plane is among those that join: the certificates are uploaded."),
    version: KubernetesVersion.describe("The cluster's, with its v."),
    advertiseAddress: HostAddress.describe("This control plane's own address."),
    ttlMinutes: z.int().min(1).default(120).describe("How long a token lives."),
    atLeastMinutes: z
      .int()
      .min(1)
      .default(20)
      .describe("Life left below which a new one is minted."),
  })
  .refine(({ ttlMinutes, atLeastMinutes }) => atLeastMinutes < ttlMinutes, {
    path: ["atLeastMinutes"],
    message: "expected less than ttlMinutes: a new token would be too old at once",
  })
  // kubeadm deletes uploaded certificates after two hours.
  .refine(({ controlPlane, atLeastMinutes }) => !controlPlane || atLeastMinutes < 120, {
    path: ["atLeastMinutes"],
    message: "expected less than 120: uploaded certificates live two hours",
  });

/** Tells our tokens from those that people made. */
const MARK = "run-playbook join";
const none = new Secret("");

export const kubeadmToken = defineModule({
  name: "kubeadm-token",
  summary: "Keep a join token, and the uploaded certificates' key, fresh while a join is pending.",
  lasting: "a token that was minted ends by itself",
  example: `use.kubeadmToken({
  needed: true,
  version: "v1.36.3",
  advertiseAddress: "2001:db8:1::11",
})`,
  params: Params,
  outputs: z.object({ token: secret(), certificateKey: secret() }),

  async read(host, want) {
    if (!want.needed) return { token: none, certificateKey: none };
    const found = await readInvitations(host, {
      description: MARK,
      keyFile: certificateKeyFile,
    });
    const atLeast = want.atLeastMinutes * 60;
    const token = found.tokens.find(({ seconds }) => seconds > atLeast)?.token;
    const key = found.certificateKey;
    return {
      token: token ?? none,
      certificateKey: key !== undefined && key.seconds > atLeast ? key.key : none,
    };
  },

  *diff(now, want) {
    if (!want.needed) return;
    const ttl = `${want.ttlMinutes}m`;
    if (now.token.reveal() === "")
      yield run(script(MINT, adminConf, ttl, MARK), `join token: none → good for ${ttl}`);
    if (want.controlPlane && now.certificateKey.reveal() === "")
      yield run(
        withStdin(script(UPLOAD, certificateKeyFile, adminConf), uploadConfig(want)),
        "control planes' certificates: none with a known key → uploaded",
      );
  },
});

// What kubeadm prints is the token: it is read back from the cluster instead.
const MINT = `# kubeadm-token-mint
kubeadm token create --kubeconfig "$1" --ttl "$2" --description "$3" >/dev/null`;

// The key is made here and leaves the host only as a secret output. printf is the shell's own: no argument list shows it.
const UPLOAD = `# kubeadm-upload-certs
umask 077
mkdir -p "\${1%/*}"
key=$(od -An -v -tx1 -N32 /dev/urandom | tr -d ' \n')
{ cat; printf 'certificateKey: "%s"\n' "$key"; } | timeout 50 kubeadm init phase upload-certs \
  --upload-certs --skip-certificate-key-print --config /dev/stdin >/dev/null || exit
version=$(kubectl --kubeconfig "$2" -n kube-system get secret kubeadm-certs \
  -o 'jsonpath={.metadata.resourceVersion}') || exit
printf '%s %s' "$version" "$key" >"$1"`;
