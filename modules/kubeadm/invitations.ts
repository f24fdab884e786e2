import { z } from "zod";
import { type Host, PlaybookError, Secret, script } from "#engine/index.ts";
import { jsonOf } from "../answer.ts";
import { adminConf } from "./paths.ts";

/** What would let a host join now, with the seconds of life left in it. */
export interface Invitations {
  readonly tokens: readonly { readonly token: Secret; readonly seconds: number }[];
  readonly certificateKey: { readonly key: Secret; readonly seconds: number } | undefined;
}

const READ = `# kubeadm-invitations
date +%s
cat "$2" 2>/dev/null
echo
kubectl --kubeconfig "$1" --request-timeout=20s -n kube-system get secrets -o json`;

const Base64 = z.string().transform((text) => Buffer.from(text, "base64").toString("utf8"));
const List = z.object({
  items: z.array(
    z.object({
      type: z.string().optional(),
      metadata: z.object({
        name: z.string(),
        resourceVersion: z.string(),
        ownerReferences: z.array(z.object({ name: z.string() })).default([]),
      }),
      data: z.record(z.string(), Base64).default({}),
    }),
  ),
});
type Found = z.output<typeof List>["items"][number];

interface Ours {
  /** What our tokens are described as. */
  readonly description: string;
  /** Holds the key, and the version of the upload that it opens. */
  readonly keyFile: string;
}

/** Reads tokens and uploaded certificates from the cluster; only what was made here counts. */
export async function readInvitations(host: Host, ours: Ours): Promise<Invitations> {
  const { code, stdout, stderr } = await host.run(script(READ, adminConf, ours.keyFile));
  if (code !== 0) throw new PlaybookError("PB_CLUSTER_READ", ["The join tokens", stderr.trim()]);
  const [now = "", keyLine = "", ...json] = stdout.split("\n");
  const { items } = jsonOf("The join tokens", List, json.join("\n"));
  const seconds = (secret: Found | undefined) => {
    const ends = Date.parse(secret?.data["expiration"] ?? "");
    return Number.isNaN(ends) ? 0 : Math.floor(ends / 1000) - Number(now);
  };
  const tokens = items.filter(
    ({ type, data }) =>
      type === "bootstrap.kubernetes.io/token" && data["description"] === ours.description,
  );
  const upload = items.find(({ metadata }) => metadata.name === "kubeadm-certs");
  const owner = upload?.metadata.ownerReferences[0]?.name;
  const [version = "", key] = keyLine.split(" ");
  const opens = key !== undefined && version === upload?.metadata.resourceVersion;
  return {
    tokens: tokens.map((token) => ({
      token: new Secret(`${token.data["token-id"]}.${token.data["token-secret"]}`),
      seconds: seconds(token),
    })),
    certificateKey: opens
      ? {
          key: new Secret(key),
          seconds: seconds(items.find(({ metadata }) => metadata.name === owner)),
        }
      : undefined,
  };
}
