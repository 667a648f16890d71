/** The YAML node at an offset. */
import type { AliasNode, Path, ScalarNode, YamlNode } from "../../../core/config/yaml/yaml-node.ts";
import type { YamlTree } from "../../../core/config/yaml/yaml-tree.ts";
import type { Span } from "./document-model.ts";
import { lineStart } from "./lines.ts";

interface NodeAtOffset {
  node: YamlNode;
  path: Path;
  /** The node is a key; the path is then that of its value. */
  isKey: boolean;
}

/** The scalar or alias at the offset (its end counts), as it is written there. */
export function nodeAt(
  tree: YamlTree,
  offset: number,
): (NodeAtOffset & { node: ScalarNode | AliasNode }) | undefined {
  const within = (node: YamlNode) => node.start <= offset && offset <= node.end;
  const find = (node: YamlNode, path: Path, isKey: boolean): ReturnType<typeof nodeAt> => {
    if (!within(node)) return undefined;
    if (node.kind === "map") {
      for (const { key, value } of node.pairs) {
        const below = [...path, String(key.value)];
        const found = find(key, below, true) ?? find(value, below, false);
        if (found) return found;
      }
    } else if (node.kind === "seq") {
      for (const [i, item] of node.items.entries()) {
        const found = within(item) && find(item, [...path, i], false);
        if (found) return found;
      }
    } else return { node, path, isKey };
    return undefined;
  };
  return tree.root && find(tree.root, [], false);
}

/** The map or list in braces or brackets around the offset, the innermost. */
export function flowAt(
  tree: YamlTree,
  offset: number,
): { node: Exclude<YamlNode, ScalarNode | AliasNode>; path: Path } | undefined {
  let found: ReturnType<typeof flowAt>;
  const visit = (node: YamlNode, path: Path): void => {
    if (node.kind === "scalar" || node.kind === "alias" || node.start >= offset) return;
    if (node.flow) {
      if (offset >= flowEnd(tree.text, node)) return;
      found = { node, path };
    }
    if (node.kind === "map") {
      const pair = node.pairs.findLast(({ value }) => value.start < offset);
      if (pair) visit(pair.value, [...path, String(pair.key.value)]);
    } else {
      const index = node.items.findLastIndex(({ start }) => start < offset);
      if (index !== -1) visit(node.items[index]!, [...path, index]);
    }
  };
  if (tree.root) visit(tree.root, []);
  return found;
}

/** An unclosed one ends where the next node starts. */
function flowEnd(text: string, { start, end }: YamlNode): number {
  if (end - start > 1 && /[\]}]/.test(text[end - 1]!)) return end;
  return end + /^[\s,]*/.exec(text.slice(end, end + 200))![0].length + 1;
}

/** The alias being typed at the offset: `*` and what follows. */
export function aliasAt(text: string, offset: number): Span | undefined {
  const line = text.slice(lineStart(text, offset), offset);
  const typed = /(?:^|[:\-[,]\s)\s*(\*[\w-]*)$/.exec(line)?.[1];
  if (typed === undefined) return undefined;
  return {
    start: offset - typed.length,
    end: offset + /^[\w-]*/.exec(text.slice(offset, offset + 100))![0].length,
  };
}
