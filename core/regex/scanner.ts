/** Where the parser is in a pattern, what it found wrong so far, and how it reads single characters and classes. */

import { CharSet, escapeCodePoint, POSIX, propertyName } from "./charset.ts";
import { MAX_NESTING, type PatternDiagnostic, type PatternWarning } from "./syntax.ts";

/** More than this is not worth reading. */
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
  /** After too much was wrong: then what seems to be missing was only not read. */
  stopped = false;
  flags: Flags = { ignoreCase: false, multiline: false, dotAll: false, spaced: false, swapGreed: false };
  readonly problems: PatternDiagnostic[] = [];
  readonly notes: PatternWarning[] = [];
  readonly #sets = new Map<string, CharSet>();

  constructor(source: string) {
    this.source = source;
  }

  problem(offset: number, length: number, message: string): void {
    this.problems.push({ offset, length, message });
    if (this.problems.length >= MAX_REPORTS) this.#skipRest();
  }

  note(offset: number, message: string, kind: PatternWarning["kind"] = "dialect"): void {
    const length = this.at - offset;
    if (this.notes.length < MAX_REPORTS) this.notes.push({ kind, offset, length, message });
  }

  /** A problem after which going on makes no sense. */
  stop(offset: number, length: number, message: string): void {
    this.problem(offset, length, message);
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
      this.problem(start, 1, "A single \\ at the end. Write \\\\ to match a backslash.");
      return 0x5c;
    }
    const code = this.code();
    const letter = String.fromCodePoint(code);
    if (/[dDwWsS]/.test(letter)) return `\\${letter}`;
    if (letter in CONTROL) {
      if (letter === "a") this.note(start, "\\a is the bell character, in JavaScript the letter a.");
      return CONTROL[letter]!;
    }
    if (letter in HEX_DIGITS) return this.#hex(start, letter);
    if (letter === "p" || letter === "P") return this.#property(start, letter);
    if (letter === "0" && !/\d/.test(this.source[this.at] ?? "")) {
      this.note(start, "The original Linkup has no \\0. Write \\x00.");
      return 0;
    }
    const control = letter === "c" && this.take(/[A-Za-z]/y);
    if (control) {
      this.note(
        start,
        "The original Linkup has no \\c. Write the character as \\x and two hexadecimal digits.",
      );
      return control[0].charCodeAt(0) % 32;
    }
    if (/[A-Za-z0-9<>]/.test(letter)) {
      const hint = /[<>]/.test(letter)
        ? `Write ${letter} for the character, \\b for a word boundary.`
        : `Write ${letter} for the character, \\\\${letter} for a backslash before it.`;
      this.problem(start, this.at - start, `Unknown escape \\${letter}. ${hint}`);
    } else if (code > 127) {
      this.note(start, `The original Linkup refuses \\${letter}. Write ${letter} without the backslash.`);
    }
    return code;
  }

  #hex(start: number, letter: string): number {
    const count = HEX_DIGITS[letter]!;
    const digits = this.take(new RegExp(`\\{([\\da-fA-F]+)\\}|([\\da-fA-F]{${count}})`, "y"));
    const code = Number.parseInt(digits?.[1] ?? digits?.[2] ?? "", 16);
    // Surrogates are no characters.
    if (code <= 0x10ffff && code >> 11 !== 0x1b) {
      if (letter === "U" || (digits![1] && letter === "x")) {
        this.note(start, `JavaScript has no \\${letter}{…}: only Linkup reads this as a character.`);
      }
      return code;
    }
    const forms = `\\${letter} and ${count} hexadecimal digits, or \\${letter}{…} with the number of a character`;
    this.problem(start, this.at - start, `Not a character. Write ${forms}.`);
    return 0;
  }

  #property(start: number, letter: string): string {
    const given = this.take(/([A-Za-z])|\{([^{}]*)\}/y);
    const name = propertyName(given?.[1] ?? given?.[2] ?? "");
    if (name !== undefined) return `\\${letter}{${name}}`;
    const what = given ? `Unknown Unicode property ${given[0]}.` : `\\${letter} needs a Unicode property.`;
    this.problem(start, this.at - start, `${what} Examples: \\p{L} (letters), \\p{Lu}, \\p{Greek}.`);
    return "";
  }

  /** At a `[`: the class up to its `]`, as a native class. */
  bracketed(): string {
    const open = this.at++;
    if (++this.depth > MAX_NESTING) this.stop(open, 1, `Nested more than ${MAX_NESTING} deep.`);
    const negated = this.eat("^");
    let members = "";
    let left = ""; // what stands before a set operator, the operator included
    while (this.eat("-")) members += escapeCodePoint(0x2d);
    if (members === "" && this.eat("]")) {
      members = escapeCodePoint(0x5d);
      this.note(
        open,
        "A ] right after the [ is itself a member; JavaScript ends the class there. Write \\].",
      );
    }
    for (;;) {
      this.space();
      const start = this.at;
      if (start >= this.source.length) {
        if (!this.stopped)
          this.stop(open, 1, "This class is never closed. Add a ], or write \\[ to match a bracket.");
        break;
      }
      if (this.eat("]")) break;
      const operator = this.take(/&&|--|~~/y)?.[0];
      if (operator) {
        if (operator === "~~") this.problem(start, 2, "~~ is not supported. Write the class without it.");
        else this.note(start, `${operator} combines classes; JavaScript reads two plain characters.`);
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
    const text = (member: number | string) => (typeof member === "string" ? member : escapeCodePoint(member));
    if (!this.take(/-(?![-\]]|$)/y)) return text(low);
    this.space();
    if (this.at >= this.source.length || this.source[this.at] === "]")
      return text(low) + escapeCodePoint(0x2d);
    const high = this.#member();
    if (typeof low === "string" || typeof high === "string") {
      this.note(
        start,
        "The original Linkup refuses a range from or to a class. Write \\- for the character.",
      );
      return text(low) + escapeCodePoint(0x2d) + text(high);
    }
    if (low <= high) return `${escapeCodePoint(low)}-${escapeCodePoint(high)}`;
    const range = this.source.slice(start, this.at);
    this.problem(
      start,
      this.at - start,
      `The range ${range} runs backwards. Swap its ends, or write \\- for the character.`,
    );
    return "";
  }

  #member(): number | string {
    const start = this.at;
    const posix = this.take(/\[:(\^?)(\w*):\]/y);
    if (posix) {
      const members = Object.hasOwn(POSIX, posix[2]!) ? POSIX[posix[2]!]! : undefined;
      if (members === undefined) {
        const names = Object.keys(POSIX).join(", ");
        this.problem(start, posix[0].length, `Unknown class ${posix[0]}. There are ${names}.`);
      } else this.note(start, `JavaScript has no ${posix[0]}: only Linkup reads this as a class.`);
      return `[${posix[1]}${members ?? ""}]`;
    }
    if (this.source[start] === "[") {
      const nested = this.bracketed();
      this.note(start, "A class inside a class; JavaScript reads a plain [. Write \\[ for the character.");
      return nested;
    }
    if (!this.eat("\\")) return this.code();
    if (this.eat("b")) {
      this.note(
        start,
        "The original Linkup refuses \\b in a class. Write \\x08 for the backspace character.",
      );
      return 8;
    }
    return this.escape(start);
  }
}
