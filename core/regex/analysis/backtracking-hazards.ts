/** Where an engine that backtracks without remembering could be slow on a pattern. Linkup's own is not. */

import { backtrackingBound } from "../native-engine.ts";
import { isSingle, type Node, type PatternWarning, type Repeat } from "../syntax.ts";

/** The analysis takes the cube of the size. */
const MAX_ANALYZED = 500;
/** Ways to match that grow with this power of the text's length are noted. */
const STEEP = 4;
/** So are this many ways, whatever the length. */
const MANY = 1e6;

/** Notes on nested repetitions whose rounds can be cut in several ways, and on many repetitions in a row. */
export function backtrackingHazards(root: Node, source: string): PatternWarning[] {
  if (root.size > MAX_ANALYZED) return [];
  const nested = loopsIn(root).find(isAmbiguous);
  if (nested) {
    const { offset, length } = nested;
    const message = `${source.slice(offset, offset + length)} can cut the same text into rounds in many ways. \
Linkup copes, other engines can hang on it. Remove the inner or the outer repetition.`;
    return [{ kind: "backtracking", offset, length, message }];
  }
  const { factor, degree } = backtrackingBound(root, "accept");
  // Infinite where a group is repeated without bound, but as found above in one way only.
  if (degree < STEEP && (factor < MANY || factor === Infinity)) return [];
  const message = "Many repetitions can share the same text. Linkup copes, other engines can be slow on it.";
  return [{ kind: "backtracking", offset: 0, length: source.length, message }];
}

const parts = (node: Node): Node[] => ("items" in node ? node.items : "body" in node ? [node.body] : []);

/** The unbounded repetitions at or below a node. */
function loopsIn(node: Node): Repeat[] {
  const below = parts(node).flatMap(loopsIn);
  return node.type === "repeat" && node.max === Infinity ? [node, ...below] : below;
}

/** The ASCII characters that a node's matches can contain, a bit for each. ASCII is all that a path has. */
function charactersIn(node: Node): bigint {
  if (node.type === "char") return node.code < 128 ? 1n << BigInt(node.code) : 0n;
  if (node.type === "set") return node.set.asciiBits;
  return parts(node).reduce((bits, part) => bits | charactersIn(part), 0n);
}

/** One-character nodes, as above, of which every match of the node contains one. */
function required(node: Node): bigint[] {
  if (isSingle(node)) return [charactersIn(node)];
  if (node.type === "concat") return node.items.flatMap(required);
  if (node.type === "capture" || (node.type === "repeat" && node.min > 0)) return required(node.body);
  return [];
}

/** Whether an inner loop can take all that a round needs, or two one-character branches overlap. */
function isAmbiguous({ body }: Repeat): boolean {
  const needed = required(body);
  const greedy = loopsIn(body).some((inner) => {
    const taken = charactersIn(inner);
    return needed.every((one) => (one & taken) !== 0n);
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
