/**
 * Which patterns the native engine may run, and on how long a text.
 *
 * It backtracks without remembering, so its steps are bounded by the number of ways to try a pattern from one start
 * (`ways`, a polynomial in the length of the text), times the starts, times the steps from one choice to the next.
 * Most patterns of real configs have a bound that is far below the step budget for any path that occurs.
 */

import { MAX_STEPS } from "./bit-state.ts";
import { escapeCodePoint } from "./charset.ts";
import { accepts, isSingle, type Node } from "./syntax.ts";

/** `factor` × (length of the text)^`degree`. `scans`: some way walks back over text without trying anything there. */
export interface BacktrackingBound {
  factor: number;
  degree: number;
  scans: boolean;
}

/** Larger ones might be refused by the native compiler, or be slow in it. */
const MAX_NATIVE_SIZE = 500;

const ONE: BacktrackingBound = { factor: 1, degree: 0, scans: false };

/** `next` is what follows the node: a node, or "accept" when nothing can fail any more. */
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
        // A repetition at the very end keeps what it first takes.
        if (next === "accept" || min === max) return ONE;
        // Giving back is tried in vain before a character that is none of those repeated.
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

/** The character that a node starts with, if there is exactly one such place. */
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
}

/** The pattern for the native engine; undefined when that might be slow, or would find something else. */
export function nativePattern(root: Node, maxText: number): NativePattern | undefined {
  const source = root.size <= MAX_NATIVE_SIZE ? sourceOf(root) : undefined;
  if (source === undefined) return undefined;
  const { factor, degree, scans } = backtrackingBound(root, "accept");
  const exponent = degree + Number(scans) + Number(!isAnchored(root));
  const steps = factor * root.size;
  if (steps > MAX_STEPS) return undefined;
  const longest = exponent === 0 ? maxText : Math.floor((MAX_STEPS / steps) ** (1 / exponent)) - 1;
  const regExp = new RegExp(source, "v");
  return { regExp, global: new RegExp(source, "gv"), maxText: Math.min(longest, maxText) };
}

function isAnchored(node: Node): boolean {
  if (node.type === "concat") return node.items.length > 0 && isAnchored(node.items[0]!);
  if (node.type === "alternation") return node.items.every(isAnchored);
  if (node.type === "capture") return isAnchored(node.body);
  return node.type === "assert" && node.assertion === "start";
}

/** Without `\B`: the native engine finds it in the middle of a surrogate pair. */
const ASSERTIONS: Readonly<Record<string, string>> = { start: "^", end: "$", word: "\\b" };

/** The node for the native engine; undefined where that differs from Linkup's rules or has no bound on its steps. */
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
      // JavaScript ends loops at empty rounds and forgets groups between rounds in its own way.
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
