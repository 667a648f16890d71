/** The text of linkup.yaml as nodes, aliases resolved, and as the value they stand for. */

import { nodeValue } from "./node-value.ts";
import { type Piece, splitSections } from "./sections.ts";
import { readYamlWithTabs } from "./tab-indentation.ts";
import {
  type AliasNode,
  children,
  isLinked,
  type MapNode,
  MERGE,
  moved,
  type Pair,
  type ScalarNode,
  type SeqNode,
  size,
  type YamlNode,
} from "./yaml-node.ts";
import { duplicateKey, movedDiagnostic, type ParsedYaml, type YamlDiagnostic } from "./yaml-reader.ts";

/** The way to a value: `["services", 0, "name"]`. */
export type Path = (string | number)[];

/** What aliases may add to a file before it is taken for an attack. */
const MAX_EXPANDED = 100_000;

/** What is remembered of a piece of text. */
interface Kept extends ParsedYaml {
  /** It has anchors or aliases: what it means depends on other pieces. */
  linked: boolean;
  /** Of its items, when it is not linked. */
  values: unknown[] | undefined;
  /** The root where it stood last. */
  last: { start: number; root: YamlNode } | undefined;
}

function keep(text: string): Kept {
  const { root, diagnostics: problems } = readYamlWithTabs(text);
  return {
    root,
    diagnostics: problems,
    linked: root !== undefined && isLinked(root),
    values: undefined,
    last: undefined,
  };
}

function placed(kept: Kept, start: number): YamlNode | undefined {
  if (!kept.root || start === 0) return kept.root;
  if (kept.last?.start !== start) kept.last = { start, root: moved(kept.root, (offset) => offset + start) };
  return kept.last.root;
}

export class YamlTree {
  readonly text: string;
  readonly root: YamlNode | undefined;
  readonly diagnostics: YamlDiagnostic[] = [];
  /** The pieces that are not well-formed: what is missing there may only be unreadable. */
  readonly broken: Piece[] = [];
  readonly #kept = new Map<string, Kept>();
  #reusable: Map<string, Kept> | undefined;
  /** Values that are known already, by their nodes. */
  readonly #values = new Map<YamlNode, unknown>();
  readonly #anchors = new Map<string, YamlNode[]>();
  readonly #targets = new Map<AliasNode, YamlNode | undefined>();

  /** Pieces of text that the previous tree has read are not read again. */
  constructor(text: string, previous?: YamlTree) {
    this.text = text;
    this.#reusable = previous ? previous.#kept : undefined;
    const sections = splitSections(text);
    this.root = sections ? this.#joined(sections) : this.#piece({ start: 0, end: text.length });
    this.#reusable = undefined;
    if (
      this.root &&
      this.#targets.size > 0 &&
      this.#weight(this.root, new Map()) - size(this.root) > MAX_EXPANDED
    ) {
      const { start, end } = this.root;
      this.#problem("The aliases make this file too large.", start, Math.min(end, start + 1));
      this.root = undefined;
    }
  }

  /** What the alias stands for; undefined when there is no such anchor. */
  target(alias: AliasNode): YamlNode | undefined {
    return this.#targets.get(alias);
  }

  /** The node itself, or what it is an alias of. */
  resolved(node: YamlNode | undefined): Exclude<YamlNode, AliasNode> | undefined {
    while (node?.kind === "alias") node = this.#targets.get(node);
    return node;
  }

  get anchors(): string[] {
    return [...this.#anchors.keys()];
  }

  /** The pair of that key: the map's own, or one that is merged into it. */
  pair(map: MapNode, key: string): Pair | undefined {
    const own = map.pairs.find((pair) => String(pair.key.value) === key);
    if (own) return own;
    for (const merged of this.merged(map)) {
      const found = this.pair(merged, key);
      if (found) return found;
    }
    return undefined;
  }

  /** The node at this path, aliases followed on the way but not at its end. */
  node(path: Path): YamlNode | undefined {
    let node = this.root;
    for (const key of path) {
      const parent = this.resolved(node);
      if (parent?.kind === "map") node = this.pair(parent, String(key))?.value;
      else if (parent?.kind === "seq") node = parent.items[key as number];
      else return undefined;
    }
    return node;
  }

  /** The key at this path. */
  key(path: Path): ScalarNode | undefined {
    const parent = this.resolved(this.node(path.slice(0, -1)));
    return parent?.kind === "map" ? this.pair(parent, String(path.at(-1)))?.key : undefined;
  }

  /** As plain JavaScript. What is aliased is one object in several places. */
  value(): unknown {
    return this.root && nodeValue(this, this.root, this.#values);
  }

  #problem(message: string, start: number, end: number): void {
    this.diagnostics.push({ code: "yaml-syntax", severity: "error", message, start, end });
  }

  #piece({ start, end }: Piece): YamlNode | undefined {
    const text = this.text.slice(start, end);
    const kept = this.#kept.get(text) ?? this.#reusable?.get(text) ?? keep(text);
    this.#kept.set(text, kept);
    for (const problem of kept.diagnostics)
      this.diagnostics.push(movedDiagnostic(problem, (offset) => offset + start));
    if (kept.diagnostics.some(({ severity }) => severity === "error")) this.broken.push({ start, end });
    const root = placed(kept, start);
    if (root && kept.linked) this.#link(root);
    else if (root?.kind === "seq") {
      // The same text gives the same objects, by which checks know what they have seen before.
      kept.values ??= root.items.map((item) => nodeValue(this, item, new Map()));
      for (const [i, item] of root.items.entries()) this.#values.set(item, kept.values[i]);
    }
    return root;
  }

  #joined(sections: { head: Piece; items: Piece[] }[]): MapNode {
    const root: MapNode = { kind: "map", start: sections[0]!.head.start, end: 0, flow: false, pairs: [] };
    for (const { head, items } of sections) {
      const node = this.#piece(head);
      if (node?.kind === "map") {
        const list = items.length > 0 ? this.#list(items) : undefined;
        for (const [i, pair] of node.pairs.entries())
          this.#add(root, list && i === 0 ? { key: pair.key, value: list } : pair);
      } else if (node) {
        this.#stray(head, node);
      }
    }
    root.end = root.pairs.at(-1)?.value.end ?? root.start;
    return root;
  }

  /** A piece that is no part of the map or list that it stands in. */
  #stray(piece: Piece, { start, end }: YamlNode): void {
    this.broken.push(piece);
    const line = this.text.indexOf("\n", start);
    this.#problem(
      'A key with ":" or an item with "-" is missing here.',
      start,
      line === -1 ? end : Math.min(end, line),
    );
  }

  #add(root: MapNode, pair: Pair): void {
    const first = root.pairs.find(({ key }) => key.value === pair.key.value);
    if (first) this.diagnostics.push(duplicateKey(pair.key, first.key));
    root.pairs.push(pair);
  }

  #list(pieces: Piece[]): SeqNode {
    const seq: SeqNode = { kind: "seq", start: 0, end: 0, flow: false, items: [] };
    for (const piece of pieces) {
      const node = this.#piece(piece);
      if (node?.kind === "seq") seq.items.push(...node.items);
      else if (node) this.#stray(piece, node);
    }
    const dash = this.text.indexOf("-", pieces[0]!.start);
    return { ...seq, start: dash, end: Math.max(dash + 1, seq.items.at(-1)?.end ?? 0) };
  }

  /** Finds what each alias stands for: the last anchor of that name before it. */
  #link(node: YamlNode): void {
    if (node.kind === "alias") {
      const target = this.#anchors.get(node.name)?.findLast(({ end }) => end <= node.start);
      this.#targets.set(node, target);
      if (target) return;
      const message = `There is no anchor &${node.name} before this alias.`;
      this.diagnostics.push({
        code: "unknown-anchor",
        severity: "error",
        message,
        start: node.start,
        end: node.end,
      });
      return;
    }
    if (node.anchor !== undefined) {
      const list = this.#anchors.get(node.anchor);
      if (list) list.push(node);
      else this.#anchors.set(node.anchor, [node]);
    }
    if (node.kind === "map") {
      for (const { key, value } of node.pairs) {
        if (key.anchor !== undefined) this.#link(key);
        if (value.kind !== "scalar" || value.anchor !== undefined) this.#link(value);
      }
    } else if (node.kind === "seq") for (const item of node.items) this.#link(item);
  }

  /** The number of nodes when aliases are written out. */
  #weight(node: YamlNode, known: Map<YamlNode, number>): number {
    const before = known.get(node);
    if (before !== undefined) return before;
    const below = node.kind === "alias" ? [this.#targets.get(node)] : children(node);
    const weight = below.reduce((sum, child) => sum + (child ? this.#weight(child, known) : 0), 1);
    known.set(node, weight);
    return weight;
  }

  /** The maps that are merged into this one. */
  merged(map: MapNode): MapNode[] {
    return map.pairs.flatMap(({ key, value }) => {
      if (key.value !== MERGE) return [];
      const source = this.resolved(value);
      const list = source?.kind === "seq" ? source.items.map((item) => this.resolved(item)) : [source];
      return list.filter((node) => node?.kind === "map");
    });
  }
}
