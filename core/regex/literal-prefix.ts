/** The literal text that every match of a pattern starts with. Most paths lack it, and searching for it is cheap. */
import type { Node } from "./syntax.ts";

export interface LiteralPrefix {
  text: string;
  /** The literal must be at the start of the searched text. */
  anchored: boolean;
  /** The code of its last character. */
  last: number;
}

/** Undefined when matches can start in different ways. */
export function literalPrefix(root: Node): LiteralPrefix | undefined {
  const items = root.type === "concat" ? root.items : [root];
  const [first] = items;
  const anchored = first?.type === "assert" && first.assertion === "start";
  let text = "";
  for (const item of anchored ? items.slice(1) : items) {
    if (item.type !== "char") break;
    text += String.fromCodePoint(item.code);
  }
  return text.isWellFormed() && text !== ""
    ? { text, anchored, last: text.charCodeAt(text.length - 1) }
    : undefined;
}

/** False when the text certainly contains no match. */
export function mayMatch(literal: LiteralPrefix | undefined, text: string): boolean {
  if (literal === undefined) return true;
  const { text: start, anchored, last } = literal;
  if (!anchored) return text.includes(start);
  // Paths begin alike: most differ from it where it ends, which is told without a call.
  return text.charCodeAt(start.length - 1) === last && text.startsWith(start);
}
