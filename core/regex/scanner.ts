/** The parser's cursor: position, flags and diagnostics, and the parsing of escapes and character classes. */
import { type Text, text } from "../text.ts";
import { CharSet, escapeCodePoint, POSIX, propertyName } from "./charset.ts";
import { PATTERN_MESSAGES as MESSAGES } from "./pattern-messages.ts";
import { MAX_NESTING, type PatternDiagnostic, type PatternWarning, patternDiagnostic } from "./syntax.ts";

/** Most diagnostics, and most warnings, reported for one pattern. */
const MAX_REPORTS = 20;

const CONTROL: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, f: 12, v: 11, a: 7 };
const HEX_DIGITS: Readonly<Record<string, string>> = { x: "2", u: "4", U: "8" };

export interface Flags {
  ignoreCase: boolean;
  multiline: boolean;
  dotAll: boolean;
  spaced: boolean;
  swapGreed: boolean;
}

export class Scanner {
  readonly source: string;
  at = 0;
  depth = 0;
  /** Parsing was abandoned, so a closing character that seems to be missing may just be unread. */
  stopped = false;
  flags: Flags = { ignoreCase: false, multiline: false, dotAll: false, spaced: false, swapGreed: false };
  readonly errors: PatternDiagnostic[] = [];
  readonly warnings: PatternWarning[] = [];
  readonly #sets = new Map<string, CharSet>();

  constructor(source: string) {
    this.source = source;
  }

  error(offset: number, length: number, message: Text): void {
    this.errors.push(patternDiagnostic(offset, length, message));
    if (this.errors.length >= MAX_REPORTS) this.#skipRest();
  }

  /** A warning about the source from `offset` up to the cursor. */
  warn(offset: number, message: Text, kind: PatternWarning["kind"] = "dialect"): void {
    if (this.warnings.length < MAX_REPORTS)
      this.warnings.push({ kind, ...patternDiagnostic(offset, this.at - offset, message) });
  }

  /** An error after which going on makes no sense. */
  stop(offset: number, length: number, message: Text): void {
    this.error(offset, length, message);
    this.#skipRest();
  }

  #skipRest(): void {
    this.at = this.source.length;
    this.stopped = true;
  }

  eat(text: string): boolean {
    if (!this.source.startsWith(text, this.at)) return false;
    this.at += text.length;
    return true;
  }

  /** Matches a sticky expression here and moves past it. */
  take(expression: RegExp): RegExpExecArray | null {
    expression.lastIndex = this.at;
    const found = expression.exec(this.source);
    if (found) this.at += found[0].length;
    return found;
  }

  /** The code point here; moves past it. */
  code(): number {
    const code = this.source.codePointAt(this.at)!;
    this.at += code > 0xffff ? 2 : 1;
    return code;
  }

  /** Under the flag `x`: moves past white space and comments. */
  space(): void {
    if (this.flags.spaced) this.take(/(?:\s|#.*)*/y);
  }

  set(source: string): CharSet {
    const key = `${this.flags.ignoreCase}${source}`;
    const set = this.#sets.get(key) ?? new CharSet(source, this.flags.ignoreCase);
    this.#sets.set(key, set);
    return set;
  }

  /** After a backslash at `start`: a code point, or a class as a member of a native class. */
  escape(start: number): number | string {
    if (this.at >= this.source.length) {
      this.error(start, 1, text(MESSAGES.loneBackslash));
      return 0x5c;
    }
    const code = this.code();
    const letter = String.fromCodePoint(code);
    if (/[dDwWsS]/.test(letter)) return `\\${letter}`;
    if (letter in CONTROL) {
      if (letter === "a") this.warn(start, text(MESSAGES.escapeBell));
      return CONTROL[letter]!;
    }
    if (letter in HEX_DIGITS) return this.#hex(start, letter);
    if (letter === "p" || letter === "P") return this.#property(start, letter);
    if (letter === "0" && !/\d/.test(this.source[this.at] ?? "")) {
      this.warn(start, text(MESSAGES.escapeNull));
      return 0;
    }
    const control = letter === "c" && this.take(/[A-Za-z]/y);
    if (control) {
      this.warn(start, text(MESSAGES.escapeControl));
      return control[0].charCodeAt(0) % 32;
    }
    if (/[A-Za-z0-9<>]/.test(letter)) {
      const template = /[<>]/.test(letter) ? MESSAGES.angleEscape : MESSAGES.unknownEscape;
      this.error(start, this.at - start, text(template, letter));
    } else if (code > 127) {
      this.warn(start, text(MESSAGES.escapeNonAscii, letter));
    }
    return code;
  }

  #hex(start: number, letter: string): number {
    const count = HEX_DIGITS[letter]!;
    const digits = this.take(new RegExp(`\\{([\\da-fA-F]+)\\}|([\\da-fA-F]{${count}})`, "y"));
    const code = Number.parseInt(digits?.[1] ?? digits?.[2] ?? "", 16);
    // Surrogates are not characters.
    if (code <= 0x10ffff && code >> 11 !== 0x1b) {
      if (letter === "U" || (digits![1] && letter === "x"))
        this.warn(start, text(MESSAGES.bracedHex, letter));
      return code;
    }
    this.error(start, this.at - start, text(MESSAGES.notACharacter, letter, count));
    return 0;
  }

  #property(start: number, letter: string): string {
    const given = this.take(/([A-Za-z])|\{([^{}]*)\}/y);
    const name = propertyName(given?.[1] ?? given?.[2] ?? "");
    if (name !== undefined) return `\\${letter}{${name}}`;
    const message = given ? text(MESSAGES.unknownProperty, given[0]) : text(MESSAGES.noProperty, letter);
    this.error(start, this.at - start, message);
    return "";
  }

  /** At a `[`: the class up to its `]`, as a native class. */
  bracketed(): string {
    const open = this.at++;
    if (++this.depth > MAX_NESTING) this.stop(open, 1, text(MESSAGES.tooDeep, MAX_NESTING));
    const negated = this.eat("^");
    let members = "";
    let left = ""; // what comes before a set operator, the operator included
    while (this.eat("-")) members += escapeCodePoint(0x2d);
    if (members === "" && this.eat("]")) {
      members = escapeCodePoint(0x5d);
      this.warn(open, text(MESSAGES.leadingBracket));
    }
    for (;;) {
      this.space();
      const start = this.at;
      if (start >= this.source.length) {
        if (!this.stopped) this.stop(open, 1, text(MESSAGES.unclosedClass));
        break;
      }
      if (this.eat("]")) break;
      const operator = this.take(/&&|--|~~/y)?.[0];
      if (operator) {
        if (operator === "~~") this.error(start, 2, text(MESSAGES.symmetricDifference));
        else this.warn(start, text(MESSAGES.setOperator, operator));
        left = `${left ? `[${left}[${members}]]` : `[${members}]`}${operator === "~~" ? "" : operator}`;
        members = "";
      } else {
        members += this.#range(start);
      }
    }
    this.depth--;
    return `[${negated ? "^" : ""}${left ? `${left}[${members}]` : members}]`;
  }

  /** A member of a class, or a range of them. */
  #range(start: number): string {
    const low = this.#member();
    this.space();
    const source = (member: number | string) =>
      typeof member === "string" ? member : escapeCodePoint(member);
    if (!this.take(/-(?![-\]]|$)/y)) return source(low);
    this.space();
    if (this.at >= this.source.length || this.source[this.at] === "]")
      return source(low) + escapeCodePoint(0x2d);
    const high = this.#member();
    if (typeof low === "string" || typeof high === "string") {
      this.warn(start, text(MESSAGES.rangeOfClass));
      return source(low) + escapeCodePoint(0x2d) + source(high);
    }
    if (low <= high) return `${escapeCodePoint(low)}-${escapeCodePoint(high)}`;
    const range = this.source.slice(start, this.at);
    this.error(start, this.at - start, text(MESSAGES.rangeReversed, range));
    return "";
  }

  #member(): number | string {
    const start = this.at;
    const posix = this.take(/\[:(\^?)(\w*):\]/y);
    if (posix) {
      const members = Object.hasOwn(POSIX, posix[2]!) ? POSIX[posix[2]!]! : undefined;
      if (members === undefined)
        this.error(
          start,
          posix[0].length,
          text(MESSAGES.unknownClass, posix[0], Object.keys(POSIX).join(", ")),
        );
      else this.warn(start, text(MESSAGES.posixClass, posix[0]));
      return `[${posix[1]}${members ?? ""}]`;
    }
    if (this.source[start] === "[") {
      const nested = this.bracketed();
      this.warn(start, text(MESSAGES.nestedClass));
      return nested;
    }
    if (!this.eat("\\")) return this.code();
    if (this.eat("b")) {
      this.warn(start, text(MESSAGES.backspace));
      return 8;
    }
    return this.escape(start);
  }
}
