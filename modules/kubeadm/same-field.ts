/** Fields of Kubernetes' configuration files, compared by what they mean. */

const UNITS: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ns: 1e-6,
};

/** Characters of a duration, with room. */
const LONGEST = 80;

/** A duration as Go writes it (time.ParseDuration), in ms: "1m30s" is 90000; undefined where the text is none. */
export function goDuration(text: string): number | undefined {
  if (text === "0") return 0;
  if (text.length > LONGEST) return undefined;
  const parts = /^([-+]?)((?:\d+(?:\.\d*)?|\.\d+)(?:h|ms|m|s|us|µs|μs|ns))+$/.exec(text);
  if (parts === null) return undefined;
  const sum = Array.from(text.matchAll(/([\d.]+)([a-zµμ]+)/g))
    .map(([, count, unit = ""]) => Number(count) * (UNITS[unit] ?? 0))
    .reduce((all, part) => all + part, 0);
  return parts[1] === "-" ? -sum : sum;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Go leaves out what is empty (omitempty). */
const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === false ||
  value === 0 ||
  value === "" ||
  (Array.isArray(value) && value.length === 0) ||
  (isRecord(value) && Object.values(value).every(isEmpty));

/**
 * Whether a field of a live configuration is as wanted. An object may hold more fields than are wanted, as defaults are
 * filled in; a list may not.
 */
export function sameField(wanted: unknown, live: unknown): boolean {
  if (isEmpty(wanted) && isEmpty(live)) return true;
  if (Array.isArray(wanted))
    return (
      Array.isArray(live) &&
      wanted.length === live.length &&
      wanted.every((item, index) => sameField(item, live[index]))
    );
  if (isRecord(wanted))
    return (
      isRecord(live) && Object.entries(wanted).every(([key, part]) => sameField(part, live[key]))
    );
  if (wanted === live) return true;
  const [a, b] = [String(wanted), String(live)];
  const [left, right] = [goDuration(a), goDuration(b)];
  return a === b || (left !== undefined && left === right);
}
