/** Where an engine that backtracks without remembering could be slow on a pattern. Linkup's own is not. */

import { waysOf } from "./native.ts";
import {
  accepts,
  type Char,
  type CharClass,
  isSingle,
  type Node,
  type PatternNote,
  type Repeat,
} from "./syntax.ts";

/** Ways to match that grow with this power of the text's length are noted. */
const STEEP = 4;
/** So are this many ways, whatever the length. */
const MANY = 1e6;

/** Notes on nested repetitions whose rounds can be cut in several ways, and on many repetitions in a row. */
export function hazards(root: Node, source: string): PatternNote[] {
  const found = loopsIn(root).filter(isAmbiguous);
  const nested = found.map(({ offset, length }) => ({
    kind: "backtracking" as const,
    offset,
    length,
    message: `${source.slice(offset, offset + length)} can cut the same text into rounds in many ways. \
Linkup copes, other engines can hang on it. Remove the inner or the outer repetition.`,
  }));
  if (nested.length > 0) return nested.slice(0, 1);
  const { factor, degree } = waysOf(root, "accept");
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

function singlesIn(node: Node): (Char | CharClass)[] {
  return isSingle(node) ? [node] : parts(node).flatMap(singlesIn);
}

/** The characters that every match of the node contains. */
function required(node: Node): (Char | CharClass)[] {
  if (isSingle(node)) return [node];
  if (node.type === "concat") return node.items.flatMap(required);
  if (node.type === "capture" || (node.type === "repeat" && node.min > 0)) return required(node.body);
  return [];
}

/** Whether an inner loop can take all that a round needs, or two one-character branches overlap. */
function isAmbiguous({ body }: Repeat): boolean {
  const needed = required(body);
  const greedy = loopsIn(body).some((inner) => {
    const taken = singlesIn(inner);
    return needed.every((one) => taken.some((other) => overlap(one, other)));
  });
  return greedy || branchesOverlap(body);
}

function branchesOverlap(node: Node): boolean {
  if (node.type === "capture") return branchesOverlap(node.body);
  if (node.type !== "alternation") return false;
  const singles = node.items.filter(isSingle);
  return singles.some((one, i) => singles.slice(i + 1).some((other) => overlap(one, other)));
}

/** Looks at ASCII, which is all that a path has. */
function overlap(one: Char | CharClass, other: Char | CharClass): boolean {
  for (let code = 0; code < 128; code++) if (accepts(one, code) && accepts(other, code)) return true;
  return false;
}
