/** The text of linkup.yaml as a tree of nodes with resolved aliases, and as a plain value. */
import { text as message, type Text } from "../../text.ts";
import { nodeValue } from "./node-value.ts";
import { type Piece, splitSections } from "./sections.ts";
import { readYamlWithTabs } from "./tab-indentation.ts";
import { YAML_MESSAGES } from "./yaml-messages.ts";
import {
  type AliasNode,
  children,
  hasAnchorOrAlias,
  type MapNode,
  MERGE,
  type NodeResolver,
  nodeCount,
  type Pair,
  type Path,
  type ScalarNode,
  type SeqNode,
  withOffsets,
  type YamlNode,
} from "./yaml-node.ts";
import {
  duplicateKey,
  movedDiagnostic,
  type ParsedYaml,
  type YamlDiagnostic,
  yamlDiagnostic,
} from "./yaml-reader.ts";

/** Most nodes that aliases may add; more are taken for an attack ("billion laughs"). */
const MAX_EXPANDED = 100_000;

/** Number of pairs from which a map is indexed. */
const MIN_INDEXED = 16;

/** The cached parse of a piece of text. */
interface CachedPiece extends ParsedYaml {
  /** It has anchors or aliases, so its value depends on other pieces. */
  linked: boolean;
  /** The values of its items, unless it is linked. */
  values: unknown[] | undefined;
  /** The root with the offsets of its last place. */
  last: { start: number; root: YamlNode } | undefined;
}

function parsePiece(text: string): CachedPiece {
  const { root, diagnostics } = readYamlWithTabs(text);
  return {
    root,
    diagnostics,
    linked: root !== undefined && hasAnchorOrAlias(root),
    values: undefined,
    last: undefined,
  };
}

function placed(kept: CachedPiece, start: number): YamlNode | undefined {
  if (!kept.root || start === 0) return kept.root;
  if (kept.last?.start !== start)
    kept.last = { start, root: withOffsets(kept.root, (offset) => offset + start) };
  return kept.last.root;
}

export class YamlTree implements NodeResolver {
  readonly text: string;
  readonly root: YamlNode | undefined;
  readonly diagnostics: YamlDiagnostic[] = [];
  /** The pieces with syntax errors: a value that seems to be missing there may just be unreadable. */
  readonly broken: Piece[] = [];
  readonly #pieces = new Map<string, CachedPiece>();
  #reusable: Map<string, CachedPiece> | undefined;
  /** Memoised values by node. */
  readonly #values = new Map<YamlNode, unknown>();
  readonly #anchors = new Map<string, YamlNode[]>();
  /** The pairs of large maps, by key. */
  readonly #pairIndexes = new WeakMap<MapNode, Map<string, Pair>>();
  readonly #targets = new Map<AliasNode, YamlNode | undefined>();

  /** Pieces of text that the previous tree has parsed are not parsed again. */
  constructor(text: string, previous?: YamlTree) {
    this.text = text;
    this.#reusable = previous ? previous.#pieces : undefined;
    const sections = splitSections(text);
    this.root = sections ? this.#joined(sections) : this.#piece({ start: 0, end: text.length });
    this.#reusable = undefined;
    if (
      this.root &&
      this.#targets.size > 0 &&
      this.#weight(this.root, new Map()) - nodeCount(this.root) > MAX_EXPANDED
    ) {
      const { start, end } = this.root;
      this.#error(message(YAML_MESSAGES.aliasesTooLarge), start, Math.min(end, start + 1));
      this.root = undefined;
    }
  }

  /** The target of the alias; undefined when there is no such anchor. */
  target(alias: AliasNode): YamlNode | undefined {
    return this.#targets.get(alias);
  }

  /** The node itself, or the target of the alias. */
  resolved(node: YamlNode | undefined): Exclude<YamlNode, AliasNode> | undefined {
    while (node?.kind === "alias") node = this.#targets.get(node);
    return node;
  }

  get anchors(): string[] {
    return [...this.#anchors.keys()];
  }

  /** The pair of that key: the map's own, or one that is merged into it. */
  pair(map: MapNode, key: string): Pair | undefined {
    const own = this.#ownPair(map, key);
    if (own) return own;
    for (const merged of this.merged(map)) {
      const found = this.pair(merged, key);
      if (found) return found;
    }
    return undefined;
  }

  #ownPair(map: MapNode, key: string): Pair | undefined {
    if (map.pairs.length < MIN_INDEXED) return map.pairs.find((pair) => String(pair.key.value) === key);
    let index = this.#pairIndexes.get(map);
    if (!index) {
      index = new Map(map.pairs.toReversed().map((pair) => [String(pair.key.value), pair]));
      this.#pairIndexes.set(map, index);
    }
    return index.get(key);
  }

  /** The node at this path. Aliases are followed on the way, but not at its end. */
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

  /** As plain JavaScript. An aliased value is one object in several places. */
  value(): unknown {
    return this.root && nodeValue(this, this.root, this.#values);
  }

  #error(text: Text, start: number, end: number): void {
    this.diagnostics.push(yamlDiagnostic("yaml-syntax", text, start, end));
  }

  #piece({ start, end }: Piece): YamlNode | undefined {
    const text = this.text.slice(start, end);
    const kept = this.#pieces.get(text) ?? this.#reusable?.get(text) ?? parsePiece(text);
    this.#pieces.set(text, kept);
    for (const diagnostic of kept.diagnostics)
      this.diagnostics.push(movedDiagnostic(diagnostic, (offset) => offset + start));
    if (kept.diagnostics.some(({ severity }) => severity === "error")) this.broken.push({ start, end });
    const root = placed(kept, start);
    if (root && kept.linked) this.#link(root);
    else if (root?.kind === "seq") {
      // The same text gives the same objects, so that checks can skip those they have already validated.
      kept.values ??= root.items.map((item) => nodeValue(this, item, new Map()));
      for (const [i, item] of root.items.entries()) this.#values.set(item, kept.values[i]);
    }
    return root;
  }

  #joined(sections: { head: Piece; items: Piece[] }[]): MapNode {
    const root: MapNode = { kind: "map", start: sections[0]!.head.start, end: 0, flow: false, pairs: [] };
    const keys = new Map<ScalarNode["value"], ScalarNode>();
    for (const { head, items } of sections) {
      const node = this.#piece(head);
      if (node?.kind === "map") {
        const list = items.length > 0 ? this.#list(items) : undefined;
        for (const [i, pair] of node.pairs.entries())
          this.#add(root, keys, list && i === 0 ? { key: pair.key, value: list } : pair);
      } else if (node) {
        this.#stray(head, node);
      }
    }
    root.end = root.pairs.at(-1)?.value.end ?? root.start;
    return root;
  }

  /** A piece that does not belong to the map or list around it. */
  #stray(piece: Piece, { start, end }: YamlNode): void {
    this.broken.push(piece);
    const line = this.text.indexOf("\n", start);
    this.#error(message(YAML_MESSAGES.strayText), start, line === -1 ? end : Math.min(end, line));
  }

  #add(root: MapNode, keys: Map<ScalarNode["value"], ScalarNode>, { key, value }: Pair): void {
    const first = keys.get(key.value);
    if (first) this.diagnostics.push(duplicateKey(key, first));
    else keys.set(key.value, key);
    root.pairs.push({ key, value });
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

  /** Finds the target of each alias: the last anchor of that name before it. */
  #link(node: YamlNode): void {
    if (node.kind === "alias") {
      this.#targets.set(node, this.#anchorBefore(node));
      return;
    }
    if (node.kind === "scalar" && node.alias !== undefined) {
      const target = this.#anchorBefore({ name: node.alias, start: node.start, end: node.end });
      node.value = target?.kind === "scalar" ? target.value : `*${node.alias}`;
      return;
    }
    if (node.anchor !== undefined) {
      const list = this.#anchors.get(node.anchor);
      if (list) list.push(node);
      else this.#anchors.set(node.anchor, [node]);
    }
    if (node.kind === "map") {
      for (const { key, value } of node.pairs) {
        if (key.anchor !== undefined || key.alias !== undefined) this.#link(key);
        if (value.kind !== "scalar" || value.anchor !== undefined) this.#link(value);
      }
    } else if (node.kind === "seq") for (const item of node.items) this.#link(item);
  }

  #anchorBefore({ name, start, end }: { name: string; start: number; end: number }): YamlNode | undefined {
    const target = this.#anchors.get(name)?.findLast((anchored) => anchored.end <= start);
    if (!target)
      this.diagnostics.push(
        yamlDiagnostic("unknown-anchor", message(YAML_MESSAGES.unknownAnchor, name), start, end),
      );
    return target;
  }

  /** The number of nodes when aliases are expanded. */
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
