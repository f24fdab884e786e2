/** One word for a POSIX sh, whatever it holds; a NUL byte cannot be passed to a program at all. */
export function quote(word: string): string {
  if (word.includes("\0")) throw new TypeError("an argument cannot hold a NUL byte");
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Words for a POSIX sh, parsed back as exactly these. */
export const quoteAll = (words: readonly string[]): string => words.map(quote).join(" ");
