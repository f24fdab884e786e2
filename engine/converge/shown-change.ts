import type { Change, WriteChange } from "../dsl/change.ts";
import { redact } from "../dsl/masking.ts";
import { isSecret } from "../dsl/secret.ts";
import type { ShownChange } from "../report/event.ts";
import { brief } from "../report/text.ts";

/** Characters of a side beyond which a difference is not shown. */
const MOST_SHOWN = 512 * 1024;

/** A change as people see it; a guarded one is followed by the files that it changes. Secrets are masked. */
export function showChange(change: Change): ShownChange[] {
  const say = brief(change.say);
  if (change.op === "guarded") return [{ say }, ...change.files.flatMap(showChange)];
  const diff = change.op === "write" ? diffOf(change) : undefined;
  return [diff === undefined ? { say } : { say, diff }];
}

// Neither side of a secret is shown: what is there now is most likely the secret's last value.
function diffOf({ path, content, was }: WriteChange): ShownChange["diff"] {
  if (isSecret(content)) return undefined;
  return {
    path,
    before: was === undefined ? undefined : shown(was),
    after: typeof content === "string" ? shown(content) : textOf(content),
  };
}

const shown = (text: string): string =>
  text.length <= MOST_SHOWN ? redact(text) : `(too long to show, ${text.length} characters)`;

function textOf(content: Uint8Array): string {
  if (content.includes(0)) return `(binary, ${content.byteLength} bytes)`;
  try {
    return shown(new TextDecoder("utf8", { fatal: true }).decode(content));
  } catch (error) {
    if (error instanceof TypeError) return `(binary, ${content.byteLength} bytes)`;
    throw error;
  }
}
