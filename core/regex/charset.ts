/** Sets of characters. Membership is decided by the native engine, one character at a time. */

/** A set of code points, written as a class of a native RegExp with the `v` flag. */
export class CharSet {
  readonly source: string;
  readonly ignoreCase: boolean;
  readonly #native: RegExp;
  /** Memoised membership of ASCII characters: 0 unknown, 1 no, 2 yes. */
  readonly #ascii = new Uint8Array(128);
  #asciiBits: bigint | undefined;

  constructor(source: string, ignoreCase: boolean) {
    this.ignoreCase = ignoreCase;
    this.source = source;
    this.#native = new RegExp(`^${source}$`, ignoreCase ? "vi" : "v");
  }

  has(code: number): boolean {
    if (code > 127) return this.#native.test(String.fromCodePoint(code));
    this.#ascii[code] ||= this.#native.test(String.fromCharCode(code)) ? 2 : 1;
    return this.#ascii[code] === 2;
  }

  /** The ASCII members, one bit each. */
  get asciiBits(): bigint {
    if (this.#asciiBits === undefined) {
      this.#asciiBits = 0n;
      for (let code = 0; code < 128; code++) if (this.has(code)) this.#asciiBits |= 1n << BigInt(code);
    }
    return this.#asciiBits;
  }
}

/** A character, escaped for a native class or pattern with the `v` flag. */
export const escapeCodePoint = (code: number): string => `\\u{${code.toString(16)}}`;

/** The classes `[:name:]`, as members of a native class. */
export const POSIX: Readonly<Record<string, string>> = {
  alnum: "0-9A-Za-z",
  alpha: "A-Za-z",
  ascii: "\\x00-\\x7f",
  blank: "\\t ",
  cntrl: "\\x00-\\x1f\\x7f",
  digit: "0-9",
  graph: "!-~",
  lower: "a-z",
  print: " -~",
  punct: "!-\\/:-@\\[-`\\{-~",
  space: "\\t\\n\\v\\f\\r ",
  upper: "A-Z",
  word: "\\w",
  xdigit: "0-9A-Fa-f",
};

/** The native name of a Unicode property. Accepts the short forms without `Script=` and in lower case. */
export function propertyName(name: string): string | undefined {
  const given = name.replace(":", "=");
  if (!/^[A-Za-z]\w*(=\w+)?$/.test(given)) return undefined;
  const capitalized = given[0]!.toUpperCase() + given.slice(1);
  return [given, capitalized, given.toUpperCase(), `Script=${capitalized}`].find((candidate) => {
    try {
      return new RegExp(`\\p{${candidate}}`, "u");
    } catch {
      return false; // The native engine throws a SyntaxError for an unknown property.
    }
  });
}
