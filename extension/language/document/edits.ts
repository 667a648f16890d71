/** Edits of the text itself, so that comments, anchors and formatting stay as they are. */
import type { MapNode, ScalarNode, YamlNode } from "../../../core/config/yaml/yaml-node.ts";
import type { YamlTree } from "../../../core/config/yaml/yaml-tree.ts";
import type { Span, TextEdit } from "./document-model.ts";
import { columnOf, eol, lineEnd, lineStart } from "./lines.ts";
import { flowAt } from "./node-at.ts";

export function applyEdits(text: string, edits: readonly TextEdit[]): string {
  return edits
    .toSorted((a, b) => b.start - a.start || b.end - a.end)
    .reduce((changed, edit) => changed.slice(0, edit.start) + edit.text + changed.slice(edit.end), text);
}

/** The text as a scalar of YAML in that style; quoted where a plain one would be read as something else. */
export function scalar(text: string, style: ScalarNode["style"] = "plain", inFlow = false): string {
  if (style === "double") return JSON.stringify(text);
  if (style === "single") return `'${text.replaceAll("'", "''")}'`;
  const plain =
    /^(?:[^\s\-?:,[\]{}#&*!|>'"%@`]|[-?:](?=[^\s,[\]{}]))[^\n]*$/.test(text) &&
    !/:(\s|$)|\s#|\s$/.test(text) &&
    !(inFlow && /[,[\]{}]/.test(text)) &&
    !/^(null|~|true|false|[-+]?(\d[\d_]*)?\.?\d*(e[-+]?\d+)?|0[xo][\da-f]+|[-+]?\.(inf|nan))$/i.test(text);
  if (plain) return text;
  // Single quotes keep backslashes readable.
  return /[\\"]/.test(text) && /^[ -~]*$/.test(text) ? scalar(text, "single") : JSON.stringify(text);
}

/** Puts another text in a scalar's place, in the same style of quotes. */
export function replaceScalar(tree: YamlTree, node: ScalarNode, text: string): TextEdit {
  const inFlow = flowAt(tree, node.start) !== undefined;
  return { start: node.start, end: node.end, text: scalar(text, node.style, inFlow) };
}

/** Adds `key: value` at the end of the map; `value` may have more lines, which are indented below it. */
export function insertKey(text: string, map: MapNode, key: string, value: string): TextEdit {
  if (map.flow) {
    const last = map.pairs.at(-1);
    const at = last ? Math.max(last.key.end, last.value.end) : map.start + 1;
    return { start: at, end: at, text: `${last ? "," : ""} ${key}: ${value}${last ? "" : " "}` };
  }
  const first = map.pairs[0]!;
  const indent = " ".repeat(columnOf(text, first.key.start));
  const last = map.pairs.findLast((pair) => pair.key.start >= map.start) ?? first;
  // Behind the last line of the last pair; a comment at its end stays there.
  const end = Math.max(last.key.end, last.value.end);
  const newline = text.indexOf("\n", end);
  const at = newline === -1 ? text.length : text[newline - 1] === "\r" ? newline - 1 : newline;
  const lines = `${key}:${value.startsWith("\n") ? "" : " "}${value}`
    .trimEnd()
    .replaceAll("\n", `${eol(text)}${indent}`);
  return { start: at, end: at, text: `${eol(text)}${indent}${lines}` };
}

/** The lines of an item of a block list, from its dash on, with the comment lines right above it. */
export function itemLines(tree: YamlTree, item: YamlNode, next: YamlNode | undefined): Span {
  const { text } = tree;
  let start = lineStart(text, item.start);
  const column = columnOf(text, start + /^ */.exec(text.slice(start, start + 200))![0].length);
  for (let above = start; above > 0; ) {
    above = lineStart(text, above - 1);
    const line = text.slice(above, start);
    if (!/^\s*#/.test(line) || /^ */.exec(line)![0].length < column) break;
    start = above;
  }
  const end = lineEnd(text, Math.max(item.end, item.start));
  return { start, end: next ? Math.min(end, Math.max(item.end, lineStart(text, next.start))) : end };
}

/** Takes a pair out of its map: its lines in block style, else with its comma. */
export function removePair(text: string, map: MapNode, index: number): TextEdit {
  const { key, value } = map.pairs[index]!;
  const end = Math.max(key.end, value.end);
  if (map.flow) {
    const next = map.pairs[index + 1];
    if (next) return { start: key.start, end: next.key.start, text: "" };
    const before = map.pairs[index - 1];
    return { start: before ? Math.max(before.key.end, before.value.end) : key.start, end, text: "" };
  }
  const start = lineStart(text, key.start);
  const dash = /^\s*(- +)+$/.test(text.slice(start, key.start));
  // The first key after a dash: the next one takes its place.
  const next = map.pairs[index + 1];
  if (dash && next) return { start: key.start, end: next.key.start, text: "" };
  if (dash) return { start: key.start, end, text: "" };
  return { start, end: lineEnd(text, end), text: "" };
}
