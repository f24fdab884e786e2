/**
 * Every secret made in this process, so that output which happens to repeat one (a program that echoes its input) is
 * masked too, in each form in which programs print what they were given.
 */

import { secretPartsOf } from "./secret-lines.ts";

/** Shorter values are not masked: masking "a" everywhere would destroy all text. */
const MIN_VALUE = 4;
/** Shorter pieces of base64 or hexadecimal text are found in any other. */
const MIN_ENCODED = 8;
const known = new Set<string>();
/** The longest first: a secret within another must not leave a piece of that. Those of several lines come last. */
let longestFirst: readonly string[] = [];

/** From now on {@link redact} masks the value, and of one with several lines (a key, a kubeconfig) what is secret in it. */
export function remember(value: string): void {
  const before = known.size;
  for (const part of secretPartsOf(value)) addForms(part);
  addForms(value.trim());
  if (known.size > before)
    longestFirst = Array.from(known).sort(
      (one, other) => isLines(one) - isLines(other) || other.length - one.length,
    );
}

const isLines = (value: string): number => (value.includes("\n") ? 1 : 0);

function addForms(value: string): void {
  if (value.length < MIN_VALUE) return;
  for (const form of formsOf(value)) known.add(form);
}

function formsOf(value: string): string[] {
  const bytes = Buffer.from(value);
  const json = inJson(value);
  const url = encodeURIComponent(value.toWellFormed());
  const hex = bytes.toString("hex");
  const encoded = [...base64Forms(bytes), hex, hex.toUpperCase()];
  return [
    ...[value, json, inJson(json), url, inForm(value)],
    // As shells and YAML quote it.
    ...[value.replaceAll("'", "'\\''"), value.replaceAll("'", "''")],
    ...[value.replace(/["$`\\]/g, "\\$&"), value.replace(/[^\w@%+=:,./-]/g, "\\$&")],
    ...encoded.filter((form) => form.length >= MIN_ENCODED),
  ];
}

/** As forms and queries have it: more is escaped than in a URL, and a blank is a plus. */
const inForm = (value: string) => new URLSearchParams([["", value]]).toString().slice(1);

const inJson = (value: string) => JSON.stringify(value).slice(1, -1);

/**
 * The same bytes look different at each of three places in a longer base64 text: what is the same whatever stands
 * before and after them. As a whole, with its padding, where nothing does.
 */
function base64Forms(bytes: Buffer): string[] {
  const inner = [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64");
    const first = Math.ceil((before * 4) / 3);
    const whole = Math.floor(((before + bytes.length) * 8) / 6);
    return text.slice(first, whole);
  });
  return [bytes.toString("base64"), ...inner].flatMap((text) => [
    text,
    text.replaceAll("+", "-").replaceAll("/", "_"),
  ]);
}

// What JSON.parse throws quotes a piece of the text, which may be one of a secret.
const QUOTED_JSON = /, (?:\.\.\.)?"[\s\S]{0,80}?"(?:\.\.\.)? is not valid JSON/g;

/** Text with every known secret masked. */
export function redact(text: string): string {
  let masked = text.replace(QUOTED_JSON, ", which is not valid JSON");
  for (const value of longestFirst) masked = masked.replaceAll(value, "[secret]");
  return masked;
}

/**
 * The end of a stream that is read piece by piece, masked before it is cut: no piece of a secret is left at a border.
 */
export const redactedEnd = (before: string, piece: string, most: number): string =>
  redact(before + piece).slice(-most);
