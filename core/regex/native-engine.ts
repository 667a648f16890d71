/**
 * Which patterns the native engine may run, and on how long a text.
 *
 * It backtracks without memoisation, so its steps are bounded by the number of ways to try a pattern from one start
 * (a polynomial in the length of the text), times the starts, times the steps from one choice to the next.
 * Most patterns in real files have a bound far below the step budget for any path that occurs.
 */

import { escapeCodePoint } from "./charset.ts";
import { MAX_STEPS } from "./step-budget.ts";
import { accepts, isSingle, type Node } from "./syntax.ts";

/** `factor` × (length of the text)^`degree` ways. `scans`: some way walks back over text without trying anything there. */
export interface BacktrackingBound {
  factor: number;
  degree: number;
  scans: boolean;
}

/** Larger patterns might be refused by the native compiler, or compile slowly. */
const MAX_NATIVE_SIZE = 500;

const ONE: BacktrackingBound = { factor: 1, degree: 0, scans: false };

/** `next` follows the node; "accept" means that nothing after the node can fail. */
export function backtrackingBound(node: Node, next: Node | "accept" | undefined): BacktrackingBound {
  switch (node.type) {
    case "concat":
      return node.items.reduce((product, item, i) => {
        const ways = backtrackingBound(item, node.items[i + 1] ?? next);
        return {
          factor: product.factor * ways.factor,
          degree: product.degree + ways.degree,
          scans: product.scans || ways.scans,
        };
      }, ONE);
    case "alternation":
      return node.items
        .map((item) => backtrackingBound(item, next))
        .reduce((sum, ways) => ({
          factor: sum.factor + ways.factor,
          degree: Math.max(sum.degree, ways.degree),
          scans: sum.scans || ways.scans,
        }));
    case "capture":
      return backtrackingBound(node.body, next);
    case "look":
      return backtrackingBound(node.body, undefined);
    case "repeat": {
      const { body, min, max } = node;
      if (isSingle(body)) {
        // A repetition at the very end never gives anything back.
        if (next === "accept" || min === max) return ONE;
        // Giving back always fails when the next character is not among those repeated.
        const follower = firstOf(next);
        if (follower?.type === "char" && !accepts(body, follower.code)) return { ...ONE, scans: true };
        return max === Infinity ? { factor: 1, degree: 1, scans: false } : { ...ONE, factor: max - min + 1 };
      }
      const ways = backtrackingBound(body, undefined);
      return {
        factor: max === Infinity ? Infinity : ways.factor ** max * (max - min + 1),
        degree: max === Infinity ? ways.degree + 1 : ways.degree * max,
        scans: ways.scans,
      };
    }
    default:
      return ONE;
  }
}

/** The single node that a match of this node starts with, if there is one. */
function firstOf(node: Node | "accept" | undefined): Node | undefined {
  if (node === undefined || node === "accept") return undefined;
  if (node.type === "concat") return firstOf(node.items[0]);
  if (node.type === "capture") return firstOf(node.body);
  return node;
}

export interface NativePattern {
  regExp: RegExp;
  /** The same, to be searched from its lastIndex. */
  global: RegExp;
  /** Longest text that it may run on. */
  maxText: number;
  /** The most steps that a search of a text of this length could take. */
  cost(length: number): number;
}

/** The pattern for the native engine; undefined when it might be slow there, or match something else. */
export function nativePattern(root: Node, maxText: number): NativePattern | undefined {
  const source = root.size <= MAX_NATIVE_SIZE ? sourceOf(root) : undefined;
  if (source === undefined) return undefined;
  const { factor, degree, scans } = backtrackingBound(root, "accept");
  const exponent = degree + Number(scans) + Number(!isAnchored(root));
  const steps = factor * root.size;
  if (steps > MAX_STEPS) return undefined;
  const longest = exponent === 0 ? maxText : Math.floor((MAX_STEPS / steps) ** (1 / exponent)) - 1;
  const regExp = new RegExp(source, "v");
  return {
    regExp,
    global: new RegExp(source, "gv"),
    maxText: Math.min(longest, maxText),
    cost: (length) => (exponent === 0 ? steps : steps * (length + 1) ** exponent),
  };
}

function isAnchored(node: Node): boolean {
  if (node.type === "concat") return node.items.length > 0 && isAnchored(node.items[0]!);
  if (node.type === "alternation") return node.items.every(isAnchored);
  if (node.type === "capture") return isAnchored(node.body);
  return node.type === "assert" && node.assertion === "start";
}

/** Not `\B`: the native engine matches it in the middle of a surrogate pair. */
const ASSERTIONS: Readonly<Record<string, string>> = { start: "^", end: "$", word: "\\b" };

/** The node in native syntax; undefined where the native engine differs from Linkup's rules or its steps have no bound. */
function sourceOf(node: Node): string | undefined {
  switch (node.type) {
    case "char":
      return escapeCodePoint(node.code);
    case "set":
      return node.set.ignoreCase ? undefined : node.set.source;
    case "assert":
      return ASSERTIONS[node.assertion];
    case "concat":
      return joined(node.items, "");
    case "alternation": {
      const source = joined(node.items, "|");
      return source === undefined ? undefined : `(?:${source})`;
    }
    case "capture": {
      const source = sourceOf(node.body);
      return source === undefined ? undefined : `(${source})`;
    }
    case "repeat": {
      const { body, min, max, lazy } = node;
      // JavaScript has other rules for empty rounds, and resets groups between rounds.
      if (!isSingle(body) && (max === Infinity || body.nullable || (max > 1 && captures(body))))
        return undefined;
      const source = sourceOf(body);
      if (source === undefined) return undefined;
      const count = `{${min},${max === Infinity ? "" : max}}`;
      return `(?:${source})${count}${lazy ? "?" : ""}`;
    }
    default:
      return undefined;
  }
}

function joined(items: readonly Node[], separator: string): string | undefined {
  const sources = items.map(sourceOf);
  return sources.includes(undefined) ? undefined : sources.join(separator);
}

function captures(node: Node): boolean {
  if (node.type === "capture") return true;
  if (node.type === "concat" || node.type === "alternation") return node.items.some(captures);
  return "body" in node && captures(node.body);
}
