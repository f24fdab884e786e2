import type { Change, WriteChange } from "../dsl/change.ts";
import { isSecret, redact } from "../dsl/secret.ts";
import type { ShownChange } from "../report/event.ts";

/** A change as people see it; a guarded one is followed by the files that it changes. Secrets are masked. */
export function showChange(change: Change): ShownChange[] {
  const say = redact(change.say);
  if (change.op === "guarded") return [{ say }, ...change.files.flatMap(showChange)];
  const diff = change.op === "write" ? diffOf(change) : undefined;
  return [diff === undefined ? { say } : { say, diff }];
}

// Neither side of a secret is shown: what is there now is most likely the secret's last value.
function diffOf({ path, content, was }: WriteChange): ShownChange["diff"] {
  if (isSecret(content)) return undefined;
  return {
    path,
    before: was === undefined ? undefined : redact(was),
    after: typeof content === "string" ? redact(content) : textOf(content),
  };
}

function textOf(content: Uint8Array): string {
  if (content.includes(0)) return `(binary, ${content.byteLength} bytes)`;
  try {
    return redact(new TextDecoder("utf8", { fatal: true }).decode(content));
  } catch (error) {
    if (error instanceof TypeError) return `(binary, ${content.byteLength} bytes)`;
    throw error;
  }
}
