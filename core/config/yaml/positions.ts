/** Places in the text of linkup.yaml as lines and columns. */

import type { Path } from "./yaml-node.ts";
import type { YamlTree } from "./yaml-tree.ts";

export type { Path } from "./yaml-node.ts";

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

export class Positions {
  readonly tree: YamlTree;
  readonly #text: string;
  /** The offset of the start of each line. */
  readonly #lines: number[] = [0];

  constructor(tree: YamlTree) {
    this.tree = tree;
    this.#text = tree.text;
    for (let at = this.#text.indexOf("\n"); at !== -1; at = this.#text.indexOf("\n", at + 1))
      this.#lines.push(at + 1);
  }

  range(start: number, end: number): Range {
    const last = this.#text.length;
    const from = Math.min(start, last);
    return { start: this.position(from), end: this.position(Math.min(Math.max(from, end), last)) };
  }

  /** The range of the value at this path; for a map or list, of its key; for a missing value, of what encloses it. */
  value(path: Path): Range {
    const node = this.tree.node(path);
    if (!node) return path.length === 0 ? this.#firstLine(0) : this.key(path);
    if (node.kind === "scalar" || node.kind === "alias") return this.range(node.start, node.end);
    return this.#key(path) ?? this.#firstLine(node.start);
  }

  /** The range of the key at this path; for a list item, of its first line. */
  key(path: Path): Range {
    return this.#key(path) ?? this.value(path.slice(0, -1));
  }

  /** The range of a part of the text at this path; of the whole value when escapes or folding hide the part. */
  part(path: Path, part: { offset: number; length: number }): Range {
    const node = this.tree.resolved(this.tree.node(path));
    if (node?.kind !== "scalar" || typeof node.value !== "string") return this.value(path);
    const start = node.start + (node.style === "plain" ? 0 : 1);
    if (this.#text.slice(start, start + node.value.length) !== node.value) return this.value(path);
    return this.range(start + part.offset, start + part.offset + Math.max(1, part.length));
  }

  position(offset: number): Position {
    let [low, high] = [0, this.#lines.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#lines[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return { offset, line: low, column: offset - this.#lines[low]! };
  }

  #key(path: Path): Range | undefined {
    const key = this.tree.key(path);
    return key && this.range(key.start, key.end);
  }

  #firstLine(start: number): Range {
    const newline = this.#text.indexOf("\n", start);
    const line = this.#text.slice(start, newline === -1 ? undefined : newline);
    return this.range(start, start + line.trimEnd().length);
  }
}
