/** A line of authorized_keys, as sshd(8) describes it under "AUTHORIZED_KEYS FILE FORMAT". */
import { Line } from "../params.ts";

// Within double quotes only \" is special: sshd takes every other backslash as it is.
const option = String.raw`[A-Za-z][A-Za-z0-9-]*(?:="(?:\\"|\\(?!")|[^"\\])*")?`;
const type = String.raw`(?:ssh-(?:rsa|ed25519)|ecdsa-sha2-nistp(?:256|384|521)|sk-(?:ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com|ssh-(?:rsa|ed25519)-cert-v01@openssh\.com)`;
const pattern = new RegExp(
  `^(?:${option}(?:,${option})*[ \\t]+)?(${type})[ \\t]+([A-Za-z0-9+/]+={0,2})(?:[ \\t].*)?$`,
);

/** Options, key and comment; the key says the same type inside as before it, or sshd ignores the line. */
export const PublicKey = Line.regex(pattern, "expected a public key as in id_ed25519.pub").refine(
  (line) => {
    const [, named = "", blob = ""] = pattern.exec(line) ?? [];
    const fields = fieldsOf(Buffer.from(blob, "base64"));
    return fields?.[0]?.toString() === named && fields.length > 1;
  },
  "expected a whole key, of the type before it: part of it is missing",
);

/** The key of a line alone, without options and comment. */
export const keyOf = (line: string): string => pattern.exec(line)?.[2] ?? line;

/** The fields of a key, each behind its length (RFC 4251, 5: string); undefined where the last one is cut short. */
function fieldsOf(blob: Buffer): Buffer[] | undefined {
  const fields: Buffer[] = [];
  for (let at = 0; at < blob.length; ) {
    const end = at + 4 > blob.length ? Number.POSITIVE_INFINITY : at + 4 + blob.readUInt32BE(at);
    if (end > blob.length) return undefined;
    fields.push(blob.subarray(at + 4, end));
    at = end;
  }
  return fields;
}
