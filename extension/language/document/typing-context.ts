/** Locates the cursor in the structure, also in incomplete YAML. */
import type { YamlTree } from "../../../core/config/yaml/yaml-tree.ts";
import type { Span } from "./document-model.ts";
import { lineStart } from "./lines.ts";
import { flowAt } from "./node-at.ts";

export interface Context {
  /** The way to the map, list or value, any item of a list being 0. */
  path: (string | number)[];
  /** A key of the map at the path, an item of the list at the path, or the value at the path. */
  role: "key" | "item" | "value";
  /** What a choice replaces: what is typed so far, and the rest of the word. */
  replace: Span;
  /** The keys that the map has already, for the role `key`. */
  present: string[];
  /** In block style, the column where the word starts; undefined in braces and brackets. */
  column: number | undefined;
  /** The key has its colon already. */
  hasColon: boolean;
}

/** A line of block style, taken apart. */
interface Line {
  start: number;
  end: number;
  /** Columns of the dashes before the content. */
  dashes: number[];
  /** Column of the content. */
  column: number;
  content: string;
  key: string | undefined;
}

const KEY = /^("[^"]*"|'[^']*'|[^\s:#'"[\]{},&*!|>%@`][^:#]*?)\s*:(?=\s|$)\s*(.*)$/;

/** Undefined where nothing can be offered: in comments and in keys that are values. */
export function contextAt(tree: YamlTree, offset: number): Context | undefined {
  const { text } = tree;
  const start = lineStart(text, offset);
  if (inComment(text.slice(start, offset))) return undefined;
  const flow = flowAt(tree, offset);
  return flow ? inFlow(text, offset, flow) : inBlock(text, start, offset);
}

function inComment(before: string): boolean {
  const bare = before.replace(/"(?:[^"\\]|\\.)*"|'[^']*'/g, (quoted) => "x".repeat(quoted.length));
  return /(^|\s)#/.test(bare);
}

function lineAt(text: string, start: number): Line {
  const newline = text.indexOf("\n", start);
  const end = newline === -1 ? text.length : newline;
  const line = text.slice(start, end).replace(/\r$/, "");
  const dashes: number[] = [];
  let column = /^ */.exec(line)![0].length;
  for (let dash = /^-(?: +|$)/.exec(line.slice(column)); dash; dash = /^-(?: +|$)/.exec(line.slice(column))) {
    dashes.push(column);
    column += dash[0].length;
  }
  const content = line
    .slice(column)
    .replace(/(^|\s+)#.*$/, "")
    .trimEnd();
  const key = KEY.exec(content)?.[1];
  return { start, end, dashes, column, content, key: key && unquoted(key) };
}

const unquoted = (text: string) => text.replace(/^(["'])(.*)\1$/s, "$2");

function inBlock(text: string, start: number, offset: number): Context | undefined {
  const line = lineAt(text, start);
  const before = text.slice(start, offset);
  const cursor = offset - start;
  // A dash needs its space before something can follow it.
  if (cursor < line.column && line.content !== "") return undefined;
  if (/(^|\s)-$/.test(before) && line.content === "") return undefined;
  const column = line.content === "" && line.dashes.length === 0 ? cursor : line.column;
  const contentStart = start + line.column;
  const typed = line.content === "" ? "" : text.slice(contentStart, offset);
  const keyTyped = KEY.exec(typed);
  const { path, siblings } = ancestors(text, line, column);

  if (keyTyped) {
    const key = unquoted(keyTyped[1]!);
    const valueStart = offset - keyTyped[2]!.length;
    const end = Math.max(offset, valueEnd(text, valueStart));
    return {
      path: [...path, key],
      role: "value",
      replace: { start: valueStart, end },
      present: siblings,
      column: valueStart - start,
      hasColon: true,
    };
  }
  const wordStart = line.content === "" ? offset : contentStart;
  if (!/^[\w$"'./^-]*$/.test(text.slice(wordStart, offset))) return undefined;
  const rest = /^[\w-]*/.exec(text.slice(offset))![0].length;
  const hasColon = /^["']?\s*:/.test(text.slice(offset + rest));
  return {
    path,
    role: "key",
    replace: { start: wordStart, end: offset + rest },
    present: siblings.filter((key) => key !== line.key),
    column,
    hasColon,
  };
}

/** The end of a value on its line: a comment and the white space before it left out. */
function valueEnd(text: string, start: number): number {
  const newline = text.indexOf("\n", start);
  const line = text.slice(start, newline === -1 ? undefined : newline);
  return start + line.replace(/(^|\s+)#.*$/, "").trimEnd().length;
}

/**
 * The way to the map or list whose keys or dashes are in this column, and the keys that are there. Goes up from the
 * cursor through all dashes and keys, from right to left: one further left is what the present one belongs to.
 */
function ancestors(
  text: string,
  from: Line,
  column: number,
): { path: (string | number)[]; siblings: string[] } {
  const path: (string | number)[] = [];
  const siblings: string[] = from.key === undefined ? [] : [from.key];
  const at: { column: number; is: "key" | "dash" } = { column, is: "key" };
  /** The cursor's own column, before any parent was found. */
  const own = () => path.length === 0;
  const dash = (column: number) => {
    if (column < at.column) path.unshift(0);
    else if (column > at.column || at.is === "dash" || !own()) return;
    Object.assign(at, { column, is: "dash" });
  };
  const key = (name: string, column: number) => {
    if (column < at.column || (column === at.column && at.is === "dash")) {
      path.unshift(name);
      Object.assign(at, { column, is: "key" });
    } else if (column === at.column && own()) siblings.push(name);
  };

  for (const column of from.dashes.toReversed()) dash(column);
  let isMap = at.is === "key";
  for (let end = from.start - 1; end > 0 && (at.column > 0 || at.is === "dash" || own()); ) {
    const start = lineStart(text, end);
    end = start - 1;
    if (indentAt(text, start) > at.column) continue;
    const line = lineAt(text, start);
    if (line.key !== undefined) key(line.key, line.column);
    for (const column of line.dashes.toReversed()) dash(column);
    if (own()) isMap = at.is === "key";
  }
  if (from.dashes.length > 0 || isMap) siblings.push(...keysBelow(text, from, column));
  return { path, siblings };
}

function indentAt(text: string, start: number): number {
  let at = start;
  while (text[at] === " ") at++;
  return at - start;
}

/** The keys of the same map that follow on later lines. */
function keysBelow(text: string, from: Line, column: number): string[] {
  const keys: string[] = [];
  for (let start = from.end + 1; start < text.length; ) {
    const line = lineAt(text, start);
    start = line.end + 1;
    if (line.content === "" && line.dashes.length === 0) continue;
    const indent = line.dashes[0] ?? line.column;
    if (indent < column || (indent === column && line.dashes.length > 0)) break;
    if (line.column === column && line.dashes.length === 0 && line.key !== undefined) keys.push(line.key);
  }
  return keys;
}

function inFlow(
  text: string,
  offset: number,
  { node, path }: NonNullable<ReturnType<typeof flowAt>>,
): Context | undefined {
  const generic = path.map((key) => (typeof key === "number" ? 0 : key));
  const before = text.slice(node.start + 1, offset);
  const last = before.split(/[,{[\]}]/).at(-1)!;
  const colon = /^\s*("[^"]*"|'[^']*'|[^:]*?)\s*:(?:\s+|$)(.*)$/s.exec(last);
  const word = (colon ? colon[2]! : last).trimStart();
  const rest = /^[^\s,\]}:]*/.exec(text.slice(offset))![0].length;
  const shared = { replace: { start: offset - word.length, end: offset + rest }, column: undefined };
  if (node.kind === "seq") return { ...shared, path: generic, role: "item", present: [], hasColon: false };
  if (colon) {
    const key = unquoted(colon[1]!);
    return { ...shared, path: [...generic, key], role: "value", present: [], hasColon: true };
  }
  const present = node.pairs
    .filter(({ key }) => offset < key.start || key.end < offset)
    .map(({ key }) => String(key.value));
  const hasColon = /^\s*:/.test(text.slice(offset + rest));
  return { ...shared, path: generic, role: "key", present, hasColon };
}
