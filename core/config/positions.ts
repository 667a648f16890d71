/** Where in the text of linkup.yaml things stand. */
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type LineCounter,
  type Node,
  type Pair,
  type Scalar,
} from "yaml";

/** Offsets in UTF-16 units, lines and columns from 0. */
export interface Position {
  offset: number;
  line: number;
  column: number;
}

export interface Range {
  start: Position;
  end: Position;
}

/** The way to a value: `["services", 0, "name"]`. */
export type Path = (string | number)[];

export class Positions {
  readonly #text: string;
  readonly #document: Document;
  readonly #lines: LineCounter;

  constructor(text: string, document: Document, lines: LineCounter) {
    this.#text = text;
    this.#document = document;
    this.#lines = lines;
  }

  range(start: number, end: number): Range {
    const last = this.#text.length;
    const from = Math.min(start, last);
    return { start: this.#position(from), end: this.#position(Math.min(Math.max(from, end), last)) };
  }

  /** The range of the value at this path; of a map or list, its key; of what is missing, the nearest thing around it. */
  value(path: Path): Range {
    const node = this.node(path);
    const [start, end] = node?.range ?? [];
    if (start === undefined || end === undefined)
      return path.length === 0 ? this.#firstLine(0) : this.key(path);
    if (isScalar(node) || isAlias(node))
      return this.range(start, start + this.#text.slice(start, end).trimEnd().length);
    return this.#key(path) ?? this.#firstLine(start);
  }

  /** The range of the key at this path; for an item of a list, its first line. */
  key(path: Path): Range {
    return this.#key(path) ?? this.value(path.slice(0, -1));
  }

  /** The range of a part of the text at this path; of the whole value where escapes or folding hide the part. */
  part(path: Path, part: { offset: number; length: number }): Range {
    const node = this.node(path);
    if (!isScalar(node) || !node.range || typeof node.value !== "string") return this.value(path);
    const quoted = node.type === "QUOTE_SINGLE" || node.type === "QUOTE_DOUBLE";
    const start = node.range[0] + (quoted ? 1 : 0);
    if (this.#text.slice(start, start + node.value.length) !== node.value) return this.value(path);
    return this.range(start + part.offset, start + part.offset + Math.max(1, part.length));
  }

  /** The node at this path, aliases followed on the way but not at its end. */
  node(path: Path): Node | undefined {
    let node: unknown = this.#document.contents;
    for (const key of path) {
      if (isAlias(node)) node = node.resolve(this.#document);
      if (isMap(node)) node = findPair(node.items, key)?.value;
      else if (isSeq(node)) node = node.items[key as number];
      else return undefined;
    }
    return (node as Node | null | undefined) ?? undefined;
  }

  #key(path: Path): Range | undefined {
    const key = path.at(-1);
    let parent: unknown = this.node(path.slice(0, -1));
    if (isAlias(parent)) parent = parent.resolve(this.#document);
    const range = isMap(parent) ? (findPair(parent.items, key)?.key as Scalar | undefined)?.range : undefined;
    return range ? this.range(range[0], range[1]) : undefined;
  }

  #firstLine(start: number): Range {
    const newline = this.#text.indexOf("\n", start);
    const line = this.#text.slice(start, newline === -1 ? undefined : newline);
    return this.range(start, start + line.trimEnd().length);
  }

  #position(offset: number): Position {
    const { line, col } = this.#lines.linePos(offset);
    // Line 0 stands for an empty text, which has no lines to count.
    return line === 0 ? { offset, line: 0, column: offset } : { offset, line: line - 1, column: col - 1 };
  }
}

function findPair(items: readonly Pair[], key: unknown): Pair | undefined {
  return items.find((pair) => isScalar(pair.key) && String(pair.key.value) === String(key));
}
