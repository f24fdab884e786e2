/**
 * What of a secret with several lines (a key, a kubeconfig, a file of settings) is masked by itself. Programs print
 * lines and values, not files; but what every file of a kind holds is no secret, and masked it would destroy other text.
 */

/** A key without a value, brackets of JSON, the first and last line of PEM (RFC 7468). */
const FRAME = /^(?:-+ *)?(?:"?[\w.-]+"?:(?: *[[{])?|[[\]{}(),]*|-*(?:BEGIN|END) [A-Z0-9 ]+-----)$/;

/** What says which object this is, and no more: as in manifests and kubeconfigs. */
const IDENTITY =
  /^(?:-+ *)?"?(?:apiVersion|kind|type|name|namespace|cluster|user|current-context)"?: *"?[A-Za-z][\w./@-]{0,62}"?,?$/;

/** A setting that is on, off or empty. */
const SWITCH =
  /^(?:-+ *)?"?[\w.-]+"? *[:=] *(?:true|false|yes|no|on|off|null|none|~|\{\}|\[\]|""|'')?,?$/i;

/** What scripts are framed with. */
const SCRIPT = /^(?:#!\/\S+(?: -\w+)?|set [-+][a-z]+|then|else|done|esac|exit(?: \d+)?)$/;

const COMMON = [FRAME, IDENTITY, SWITCH, SCRIPT];

const ASSIGNMENT = /^(?:-+ *)?(?:export +)?["']?(?<key>[\w.-]+)["']? *[:=] *(?<value>\S.*?),?$/;
/** Keys that call their values secrets, as `client-key-data`; `key` alone is as often the name of something. */
const TELLING =
  /(?:pass(?:word|phrase|wd)?|pwd|pin|psk|token|secret|credentials?|[\w.-]key)(?:[-_]?data)?$/i;

/** The lines of a text that are masked, and the values in them that their keys call secrets. */
export function secretPartsOf(text: string): string[] {
  const lines = text.split("\n").map((line) => line.trim());
  if (lines.length < 2) return [];
  return lines
    .filter((line) => !COMMON.some((common) => common.test(line)))
    .flatMap((line) => [line, ...valueIn(line)]);
}

function valueIn(line: string): string[] {
  const { key = "", value = "" } = ASSIGNMENT.exec(line)?.groups ?? {};
  if (!TELLING.test(key)) return [];
  return [/^(["'])(?<inside>.*)\1$/.exec(value)?.groups?.["inside"] ?? value];
}
