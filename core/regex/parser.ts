/** Reads a pattern's text into a syntax tree. Understands JavaScript's dialect and that of the original Linkup. */

import { escapeCodePoint } from "./charset.ts";
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
  notes: PatternWarning[];
}

export function parsePattern(source: string): ParsedPattern | { problems: PatternDiagnostic[] } {
  if (source.length > MAX_SOURCE) {
    const message = `The pattern is ${source.length} characters long, more than ${MAX_SOURCE}.`;
    return { problems: [{ offset: 0, length: source.length, message }] };
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
  /** Back-references: what they name, where, and the node's number to set once all groups are known. */
  readonly #references: { name: string; start: number; length: number; set: (group: number) => void }[] = [];

  constructor(source: string) {
    this.#s = new Scanner(source);
  }

  parse(): ParsedPattern | { problems: PatternDiagnostic[] } {
    const { source, problems, notes } = this.#s;
    const root = this.#alternatives();
    for (const { name, start, length, set } of this.#references) {
      const group = /^\d/.test(name) ? Number(name) : this.#groups.indexOf(name);
      if (group > 0 && group < this.#groups.length) set(group);
      else this.#s.problem(start, length, `There is no group ${name} to refer back to.`);
    }
    if (root.size > MAX_PROGRAM) this.#tooLarge(0, source.length);
    if (problems.length > 0) return { problems: problems.toSorted((x, y) => x.offset - y.offset) };
    return { root, groups: this.#groups, hasReferences: this.#references.length > 0, notes };
  }

  #tooLarge(offset: number, length: number): void {
    this.#s.problem(
      offset,
      length,
      "Too large once its repetitions are written out. Use smaller counts, or * and +.",
    );
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
      const [text, from, comma, to] = found;
      const min = from === undefined ? Number(text === "+") : Number(from);
      let max = text === "?" ? 1 : from === undefined || (comma && !to) ? Infinity : Number(to ?? from);
      if (min > max) {
        s.problem(at, text.length, `${text} asks for at least ${min} and at most ${max}. Swap the two.`);
        max = min;
      }
      const lazy = s.eat("?") !== s.flags.swapGreed;
      if (/\s/.test(text)) s.note(at, `JavaScript reads ${text} as plain characters. Remove the spaces.`);
      if (stacked === 1) s.note(at, `JavaScript refuses a second quantifier. Write (?:…)${text}.`);
      if (stacked === MAX_STACKED) {
        s.stop(at, text.length, "Too many quantifiers in a row.");
        return node;
      }
      node = repeat({ body: node, min, max, lazy, offset: start, length: s.at - start });
      if (node.size > MAX_PROGRAM) {
        this.#tooLarge(start, s.at - start);
        node = concat([]);
      } else if (atom.type === "assert") {
        s.note(start, "JavaScript refuses a quantifier here; it has no use either. Remove it.");
      }
    }
  }

  /** One thing that a quantifier may follow; undefined when there is none (flags, or a problem). */
  #atom(): Node | undefined {
    const s = this.#s;
    const start = s.at;
    const quantifier = s.take(QUANTIFIER);
    if (quantifier) {
      const character = quantifier[0][0];
      s.problem(
        start,
        s.at - start,
        `Nothing to repeat before ${quantifier[0]}. Write \\${character} to match ${character}.`,
      );
      return undefined;
    }
    switch (s.source[start]) {
      case "(":
        return this.#group();
      case ")":
        s.problem(s.at++, 1, "There is no ( for this ). Remove it, or write \\) to match a parenthesis.");
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
      if (open.test(s.source))
        s.problem(start, open.lastIndex - start, "A count needs its lower end. Write {0,…}.");
      else s.note(start, "The original Linkup refuses a { that begins no count. Write \\{.");
    }
    return this.#char(code);
  }

  #bracketed(): string {
    const source = this.#s.bracketed();
    return this.#s.problems.length > 0 ? "[]" : source;
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
      return charClass(s.set(s.problems.length > 0 ? "[]" : `[${found}]`));
    }
    switch (special[0]) {
      case "b":
        if (/^\{(start|end)/.test(s.source.slice(s.at, s.at + 6))) {
          s.problem(start, 2, "Half word boundaries are not supported. Write \\b.");
        }
        return assert("word");
      case "B":
        return assert("not-word");
      case "A":
        s.note(start, "\\A is the start of the text, in JavaScript the letter A. Write ^.");
        return assert("start");
      case "z":
        s.note(start, "\\z is the end of the text, in JavaScript the letter z. Write $.");
        return assert("end");
    }
    s.note(start, "The original Linkup has no back-references.");
    s.note(
      start,
      "Back-references can need very many steps; a search that needs too many is given up.",
      "backtracking",
    );
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
        s.note(open, `The original Linkup has no look-around (?${around[0]}…).`);
        wrap = (body) => look(around[0].length === 2, around[0].endsWith("!"), body);
      } else if (named) {
        if (named[1]) s.note(open, "JavaScript has no (?P<…>). Write (?<…>), which both know.");
        wrap = this.#capture(this.#groupName(open, named[2]!));
      } else if (flagged) {
        this.#setFlags(open, flags, flagged[1]!, flagged[2] ?? "");
        if (flagged[3] === ")") {
          s.flags = flags;
          return undefined;
        }
      } else {
        const forms = "(…), (?:…), (?<name>…), (?i), (?i:…), (?=…), (?!…), (?<=…) and (?<!…)";
        s.stop(open, 2, `Unknown kind of group. There are ${forms}; write \\( to match a parenthesis.`);
        return undefined;
      }
    }
    if (++s.depth > MAX_NESTING) s.stop(open, 1, `Nested more than ${MAX_NESTING} deep.`);
    const outer = s.flags;
    s.flags = flags;
    const body = this.#alternatives();
    s.flags = outer;
    s.depth--;
    if (!s.eat(")") && !s.stopped) {
      s.problem(open, 1, "This group is never closed. Add a ), or write \\( to match a parenthesis.");
    }
    return wrap(body);
  }

  #capture(name: string | null): (body: Node) => Node {
    const index = this.#groups.push(name) - 1;
    return (body) => capture(index, body);
  }

  #groupName(open: number, name: string): string {
    const s = this.#s;
    if (!/^[A-Za-z_][\w.]*$/.test(name)) {
      s.problem(
        open,
        s.at - open,
        "A group's name has letters, digits, _ and dots, and starts with no digit.",
      );
    } else if (this.#groups.includes(name)) {
      s.problem(open, s.at - open, `There are two groups named ${name}.`);
    }
    return name;
  }

  #setFlags(open: number, flags: Flags, on: string, off: string): void {
    const s = this.#s;
    if (on === "" && off === "") s.problem(open, s.at - open, "No flags given. There are i, m, s, x and U.");
    for (const [letters, value] of [
      [on, true],
      [off.slice(1), false],
    ] as const) {
      for (const letter of letters) {
        const name = Object.hasOwn(FLAG_NAMES, letter) ? FLAG_NAMES[letter] : undefined;
        if (name) flags[name] = value;
        // All patterns here know Unicode; a path is ASCII.
        else if (letter !== "u")
          s.problem(open, s.at - open, `Unknown flag ${letter}. There are i, m, s, x and U.`);
      }
    }
    s.note(open, "Not every JavaScript engine has flags inside a pattern; Linkup has.");
  }
}
