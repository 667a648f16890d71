/** The syntax tree of a pattern, and what can be said about its text. */
import { formatText, type Text } from "../text.ts";
import type { CharSet } from "./charset.ts";

/** A place in a pattern's (or a replacement's) source, in UTF-16 units, and what is wrong there. */
export interface PatternDiagnostic {
  offset: number;
  length: number;
  /** In English. */
  message: string;
  text: Text;
}

export function patternDiagnostic(offset: number, length: number, text: Text): PatternDiagnostic {
  return { offset, length, message: formatText(text), text };
}

/**
 * Something that works here but deserves a warning. `dialect`: the original Linkup's engine or a plain JavaScript
 * RegExp refuses it or reads it differently. `backtracking`: an engine that backtracks could be slow on it.
 */
export interface PatternWarning extends PatternDiagnostic {
  kind: "dialect" | "backtracking";
}

/** Most instructions that a pattern may expand to; a counted repetition counts each of its copies. */
export const MAX_PROGRAM = 10_000;
/** Deepest nesting of groups and classes. Bounds the recursion of everything that walks the tree. */
export const MAX_NESTING = 250;

export type Assertion = "start" | "end" | "line-start" | "line-end" | "word" | "not-word";

/** `size` bounds the number of instructions a node compiles to; a `nullable` node can match the empty text. */
interface Measured {
  size: number;
  nullable: boolean;
}

export interface Char extends Measured {
  type: "char";
  code: number;
}
export interface CharClass extends Measured {
  type: "set";
  set: CharSet;
}
export interface Assert extends Measured {
  type: "assert";
  assertion: Assertion;
}
export interface Concat extends Measured {
  type: "concat";
  items: Node[];
}
export interface Alternation extends Measured {
  type: "alternation";
  items: Node[];
}
/** A capturing group. Non-capturing groups do not appear in the tree. */
export interface Capture extends Measured {
  type: "capture";
  index: number;
  body: Node;
}
/** `body` from `min` to `max` (possibly Infinity) times; `offset` and `length` locate it in the pattern's source. */
export interface Repeat extends Measured {
  type: "repeat";
  body: Node;
  min: number;
  max: number;
  lazy: boolean;
  offset: number;
  length: number;
}
export interface BackReference extends Measured {
  type: "reference";
  group: number;
  ignoreCase: boolean;
}
export interface Look extends Measured {
  type: "look";
  behind: boolean;
  negated: boolean;
  body: Node;
}
export type Node = Char | CharClass | Assert | Concat | Alternation | Capture | Repeat | BackReference | Look;

export const char = (code: number): Char => ({ type: "char", code, size: 1, nullable: false });
export const charClass = (set: CharSet): CharClass => ({ type: "set", set, size: 1, nullable: false });
export const assert = (assertion: Assertion): Assert => ({
  type: "assert",
  assertion,
  size: 1,
  nullable: true,
});

export function concat(items: Node[]): Node {
  if (items.length === 1) return items[0]!;
  const size = items.reduce((sum, item) => sum + item.size, 1);
  return { type: "concat", items, size, nullable: items.every((item) => item.nullable) };
}

export function alternation(items: Node[]): Node {
  if (items.length === 1) return items[0]!;
  const size = items.reduce((sum, item) => sum + item.size + 2, 0);
  return { type: "alternation", items, size, nullable: items.some((item) => item.nullable) };
}

export const capture = (index: number, body: Node): Capture => ({
  type: "capture",
  index,
  body,
  size: body.size + 2,
  nullable: body.nullable,
});

export const look = (behind: boolean, negated: boolean, body: Node): Look => ({
  type: "look",
  behind,
  negated,
  body,
  size: body.size + 2,
  nullable: true,
});

export const backReference = (group: number, ignoreCase: boolean): BackReference => ({
  type: "reference",
  group,
  ignoreCase,
  size: 1,
  nullable: true,
});

export function repeat(part: Pick<Repeat, "body" | "min" | "max" | "lazy" | "offset" | "length">): Repeat {
  const { body, min, max } = part;
  const size = max === Infinity ? body.size * (min + 1) + 4 : (body.size + 1) * max + 1;
  return { type: "repeat", ...part, size, nullable: min === 0 || body.nullable };
}

/** Whether a node matches exactly one character, always. */
export const isSingle = (node: Node): node is Char | CharClass => node.type === "char" || node.type === "set";

/** Whether a one-character node matches the character. */
export const accepts = (node: Char | CharClass, code: number): boolean =>
  node.type === "char" ? node.code === code : node.set.has(code);
