/** Warns of patterns on which a backtracking engine without memoisation could be slow. Linkup's own engine is not. */
import { text } from "../../text.ts";
import { backtrackingBound } from "../native-engine.ts";
import type { Pattern } from "../pattern.ts";
import { PATTERN_MESSAGES as MESSAGES } from "../pattern-messages.ts";
import { isSingle, type Node, type PatternWarning, patternDiagnostic, type Repeat } from "../syntax.ts";

/** Largest tree to analyse: the analysis takes time cubic in the size. */
const MAX_ANALYZED = 500;
/** Warn when the ways to match grow with this power of the text's length, */
const MIN_DEGREE = 4;
/** or when there are this many, whatever the length. */
const MIN_WAYS = 1e6;

const warnings = new WeakMap<Pattern, readonly PatternWarning[]>();

/** What an editor should warn of in a valid pattern: differences between dialects, and slow backtracking. */
export function patternWarnings(pattern: Pattern): readonly PatternWarning[] {
  let found = warnings.get(pattern);
  if (!found) {
    found = [...pattern.syntax.warnings, ...backtrackingHazards(pattern.syntax.root, pattern.source)];
    warnings.set(pattern, found);
  }
  return found;
}

/** Nested repetitions whose rounds can be split in several ways, and many repetitions in a row. */
function backtrackingHazards(root: Node, source: string): PatternWarning[] {
  if (root.size > MAX_ANALYZED) return [];
  const nested = loopsIn(root).find(isAmbiguous);
  if (nested) {
    const { offset, length } = nested;
    const message = text(MESSAGES.ambiguousLoop, source.slice(offset, offset + length));
    return [{ kind: "backtracking", ...patternDiagnostic(offset, length, message) }];
  }
  const { factor, degree } = backtrackingBound(root, "accept");
  // The factor is infinite for an unbounded repetition of a group, which is not ambiguous as checked above.
  if (degree < MIN_DEGREE && (factor < MIN_WAYS || factor === Infinity)) return [];
  return [{ kind: "backtracking", ...patternDiagnostic(0, source.length, text(MESSAGES.manyRepetitions)) }];
}

const parts = (node: Node): Node[] => ("items" in node ? node.items : "body" in node ? [node.body] : []);

/** The unbounded repetitions at or below a node. */
function loopsIn(node: Node): Repeat[] {
  const below = parts(node).flatMap(loopsIn);
  return node.type === "repeat" && node.max === Infinity ? [node, ...below] : below;
}

/** The ASCII characters that a node's matches can contain, one bit each. A path is ASCII only. */
function charactersIn(node: Node): bigint {
  if (node.type === "char") return node.code < 128 ? 1n << BigInt(node.code) : 0n;
  if (node.type === "set") return node.set.asciiBits;
  let bits = memoizedBits.get(node);
  if (bits === undefined) {
    bits = parts(node).reduce((union, part) => union | charactersIn(part), 0n);
    memoizedBits.set(node, bits);
  }
  return bits;
}
const memoizedBits = new WeakMap<Node, bigint>();

/** Character sets, as above, from each of which every match of the node contains a character. */
function required(node: Node): bigint[] {
  if (isSingle(node)) return [charactersIn(node)];
  if (node.type === "concat") return node.items.flatMap(required);
  if (node.type === "capture" || (node.type === "repeat" && node.min > 0)) return required(node.body);
  return [];
}

/** Whether an inner loop can match everything that a round requires, or two one-character branches overlap. */
function isAmbiguous({ body }: Repeat): boolean {
  const needed = required(body);
  const greedy = loopsIn(body).some((inner) => {
    const taken = charactersIn(inner);
    return needed.every((set) => (set & taken) !== 0n);
  });
  return greedy || branchesOverlap(body);
}

function branchesOverlap(node: Node): boolean {
  if (node.type === "capture") return branchesOverlap(node.body);
  if (node.type !== "alternation") return false;
  let before = 0n;
  return node.items.filter(isSingle).some((branch) => {
    const here = charactersIn(branch);
    const overlap = (here & before) !== 0n;
    before |= here;
    return overlap;
  });
}
