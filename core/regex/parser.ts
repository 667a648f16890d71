/** Parses a pattern's source into a syntax tree: JavaScript's dialect and that of the original Linkup. */
import { text } from "../text.ts";
import { escapeCodePoint } from "./charset.ts";
import { PATTERN_MESSAGES as MESSAGES } from "./pattern-messages.ts";
import { type Flags, Scanner } from "./scanner.ts";
import {
  alternation,
  assert,
  backReference,
  capture,
  char,
  charClass,
  concat,
  look,
  MAX_NESTING,
  MAX_PROGRAM,
  type Node,
  type PatternDiagnostic,
  type PatternWarning,
  patternDiagnostic,
  repeat,
} from "./syntax.ts";

/** Longest pattern, in UTF-16 units. */
export const MAX_SOURCE = 2_000;
/** Most quantifiers in a row, as in `(a+)?*` without the group. Bounds the depth of the tree. */
const MAX_STACKED = 3;

export interface ParsedPattern {
  root: Node;
  /** The names of the groups; null where a group has none. Group 0 is the whole match. */
  groups: readonly (string | null)[];
  hasReferences: boolean;
  warnings: PatternWarning[];
}

export function parsePattern(source: string): ParsedPattern | { errors: PatternDiagnostic[] } {
  if (source.length > MAX_SOURCE) {
    const message = text(MESSAGES.tooLong, source.length, MAX_SOURCE);
    return { errors: [patternDiagnostic(0, source.length, message)] };
  }
  return new Parser(source).parse();
}

const QUANTIFIER = /[*+?]|\{\s*(\d+)\s*(?:(,)\s*(\d*)\s*)?\}/y;
const FLAG_NAMES: Readonly<Record<string, keyof Flags>> = {
  i: "ignoreCase",
  m: "multiline",
  s: "dotAll",
  x: "spaced",
  U: "swapGreed",
};

class Parser {
  readonly #s: Scanner;
  readonly #groups: (string | null)[] = [null];
  /** Back-references, resolved once all groups are known: the name or number, the place, and how to set the group. */
  readonly #references: { name: string; start: number; length: number; set: (group: number) => void }[] = [];

  constructor(source: string) {
    this.#s = new Scanner(source);
  }

  parse(): ParsedPattern | { errors: PatternDiagnostic[] } {
    const { source, errors, warnings } = this.#s;
    const root = this.#alternatives();
    for (const { name, start, length, set } of this.#references) {
      const group = /^\d/.test(name) ? Number(name) : this.#groups.indexOf(name);
      if (group > 0 && group < this.#groups.length) set(group);
      else this.#s.error(start, length, text(MESSAGES.unknownReference, name));
    }
    if (root.size > MAX_PROGRAM) this.#tooLarge(0, source.length);
    if (errors.length > 0) return { errors: errors.toSorted((x, y) => x.offset - y.offset) };
    return { root, groups: this.#groups, hasReferences: this.#references.length > 0, warnings };
  }

  #tooLarge(offset: number, length: number): void {
    this.#s.error(offset, length, text(MESSAGES.tooLarge));
  }

  #alternatives(): Node {
    const s = this.#s;
    const outer = s.flags;
    const branches = [this.#sequence()];
    while (s.eat("|")) branches.push(this.#sequence());
    s.flags = outer;
    return alternation(branches);
  }

  #sequence(): Node {
    const s = this.#s;
    const items: Node[] = [];
    for (;;) {
      s.space();
      const start = s.at;
      const next = s.source[start];
      if (next === undefined || next === "|" || (next === ")" && s.depth > 0)) return concat(items);
      const atom = this.#atom();
      if (atom) items.push(this.#quantified(atom, start));
    }
  }

  #quantified(atom: Node, start: number): Node {
    const s = this.#s;
    let node = atom;
    for (let stacked = 0; ; stacked++) {
      s.space();
      const at = s.at;
      const found = s.take(QUANTIFIER);
      if (!found) return node;
      const [quantifier, from, comma, to] = found;
      const min = from === undefined ? Number(quantifier === "+") : Number(from);
      let max = quantifier === "?" ? 1 : from === undefined || (comma && !to) ? Infinity : Number(to ?? from);
      if (min > max) {
        s.error(at, quantifier.length, text(MESSAGES.countsReversed, quantifier, min, max));
        max = min;
      }
      const lazy = s.eat("?") !== s.flags.swapGreed;
      if (/\s/.test(quantifier)) s.warn(at, text(MESSAGES.spacedCount, quantifier));
      if (stacked === 1) s.warn(at, text(MESSAGES.secondQuantifier, quantifier));
      if (stacked === MAX_STACKED) {
        s.stop(at, quantifier.length, text(MESSAGES.tooManyQuantifiers));
        return node;
      }
      node = repeat({ body: node, min, max, lazy, offset: start, length: s.at - start });
      if (node.size > MAX_PROGRAM) {
        this.#tooLarge(start, s.at - start);
        node = concat([]);
      } else if (atom.type === "assert") {
        s.warn(start, text(MESSAGES.uselessQuantifier));
      }
    }
  }

  /** The item that a quantifier may follow; undefined when there is none (flags, or an error). */
  #atom(): Node | undefined {
    const s = this.#s;
    const start = s.at;
    const quantifier = s.take(QUANTIFIER);
    if (quantifier) {
      s.error(start, s.at - start, text(MESSAGES.nothingToRepeat, quantifier[0], quantifier[0][0]!));
      return undefined;
    }
    switch (s.source[start]) {
      case "(":
        return this.#group();
      case ")":
        s.error(s.at++, 1, text(MESSAGES.unmatchedParenthesis));
        return undefined;
      case "[":
        return charClass(s.set(this.#bracketed()));
      case "\\":
        return this.#escaped();
      case ".":
        s.at++;
        return charClass(s.set(s.flags.dotAll ? "[^]" : "[^\\n]"));
      case "^":
        s.at++;
        return assert(s.flags.multiline ? "line-start" : "start");
      case "$":
        s.at++;
        return assert(s.flags.multiline ? "line-end" : "end");
    }
    const code = s.code();
    if (code === 0x7b) {
      const open = /,\d+\}/y;
      open.lastIndex = s.at;
      if (open.test(s.source)) s.error(start, open.lastIndex - start, text(MESSAGES.openCount));
      else s.warn(start, text(MESSAGES.plainBrace));
    }
    return this.#char(code);
  }

  #bracketed(): string {
    const source = this.#s.bracketed();
    return this.#s.errors.length > 0 ? "[]" : source;
  }

  #char(code: number): Node {
    const s = this.#s;
    const letter = String.fromCodePoint(code);
    const cased = s.flags.ignoreCase && (letter.toLowerCase() !== letter || letter.toUpperCase() !== letter);
    return cased ? charClass(s.set(`[${escapeCodePoint(code)}]`)) : char(code);
  }

  #escaped(): Node | undefined {
    const s = this.#s;
    const start = s.at++;
    const special = s.take(/[bBAz]|[1-9]\d*|k<([^<>]*)>/y);
    if (!special) {
      const found = s.escape(start);
      if (typeof found === "number") return this.#char(found);
      return charClass(s.set(s.errors.length > 0 ? "[]" : `[${found}]`));
    }
    switch (special[0]) {
      case "b":
        if (/^\{(start|end)/.test(s.source.slice(s.at, s.at + 6)))
          s.error(start, 2, text(MESSAGES.halfBoundary));
        return assert("word");
      case "B":
        return assert("not-word");
      case "A":
        s.warn(start, text(MESSAGES.escapeA));
        return assert("start");
      case "z":
        s.warn(start, text(MESSAGES.escapeZ));
        return assert("end");
    }
    s.warn(start, text(MESSAGES.noReferences));
    s.warn(start, text(MESSAGES.slowReferences), "backtracking");
    const node = backReference(0, s.flags.ignoreCase);
    const name = special[1] ?? special[0];
    const set = (group: number) => {
      node.group = group;
    };
    this.#references.push({ name, start, length: s.at - start, set });
    return node;
  }

  #group(): Node | undefined {
    const s = this.#s;
    const open = s.at++;
    let wrap = (body: Node): Node => body;
    const flags = { ...s.flags };
    if (!s.eat("?")) wrap = this.#capture(null);
    else if (!s.eat(":")) {
      const around = s.take(/<?[=!]/y);
      const named = around ? null : s.take(/(P?)<([^<>()]*)>/y);
      const flagged = around || named ? null : s.take(/([A-Za-z]*)(-[A-Za-z]+)?([:)])/y);
      if (around) {
        s.warn(open, text(MESSAGES.noLookAround, around[0]));
        wrap = (body) => look(around[0].length === 2, around[0].endsWith("!"), body);
      } else if (named) {
        if (named[1]) s.warn(open, text(MESSAGES.pythonGroup));
        wrap = this.#capture(this.#groupName(open, named[2]!));
      } else if (flagged) {
        this.#setFlags(open, flags, flagged[1]!, flagged[2] ?? "");
        if (flagged[3] === ")") {
          s.flags = flags;
          return undefined;
        }
      } else {
        s.stop(open, 2, text(MESSAGES.unknownGroup));
        return undefined;
      }
    }
    if (++s.depth > MAX_NESTING) s.stop(open, 1, text(MESSAGES.tooDeep, MAX_NESTING));
    const outer = s.flags;
    s.flags = flags;
    const body = this.#alternatives();
    s.flags = outer;
    s.depth--;
    if (!s.eat(")") && !s.stopped) s.error(open, 1, text(MESSAGES.unclosedGroup));
    return wrap(body);
  }

  #capture(name: string | null): (body: Node) => Node {
    const index = this.#groups.push(name) - 1;
    return (body) => capture(index, body);
  }

  #groupName(open: number, name: string): string {
    const s = this.#s;
    if (!/^[A-Za-z_][\w.]*$/.test(name)) {
      s.error(open, s.at - open, text(MESSAGES.groupName));
    } else if (this.#groups.includes(name)) {
      s.error(open, s.at - open, text(MESSAGES.duplicateGroup, name));
    }
    return name;
  }

  #setFlags(open: number, flags: Flags, on: string, off: string): void {
    const s = this.#s;
    if (on === "" && off === "") s.error(open, s.at - open, text(MESSAGES.noFlags));
    for (const [letters, value] of [
      [on, true],
      [off.slice(1), false],
    ] as const) {
      for (const letter of letters) {
        const name = Object.hasOwn(FLAG_NAMES, letter) ? FLAG_NAMES[letter] : undefined;
        if (name) flags[name] = value;
        // Every pattern here is a Unicode pattern; a path is ASCII.
        else if (letter !== "u") s.error(open, s.at - open, text(MESSAGES.unknownFlag, letter));
      }
    }
    s.warn(open, text(MESSAGES.inlineFlags));
  }
}
