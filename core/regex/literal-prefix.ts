/** What every match of a pattern starts with: most paths lack it, and to look for it costs next to nothing. */
import type { Node } from "./syntax.ts";

export interface LiteralPrefix {
  text: string;
  /** It stands at the start of the text that is searched, or nothing matches. */
  anchored: boolean;
}

/** Undefined when matches may start in different ways. */
export function literalPrefix(root: Node): LiteralPrefix | undefined {
  const items = root.type === "concat" ? root.items : [root];
  const [first] = items;
  const anchored = first?.type === "assert" && first.assertion === "start";
  let text = "";
  for (const item of anchored ? items.slice(1) : items) {
    if (item.type !== "char") break;
    text += String.fromCodePoint(item.code);
  }
  return text.isWellFormed() && text !== "" ? { text, anchored } : undefined;
}

/** False when there is no match in the text for sure. */
export function mayMatch(literal: LiteralPrefix | undefined, text: string): boolean {
  if (literal === undefined) return true;
  return literal.anchored ? text.startsWith(literal.text) : text.includes(literal.text);
}
