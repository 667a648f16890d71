/** What a YAML text stands for, as plain JavaScript. */
import { type MapNode, MERGE, type YamlNode } from "./yaml-node.ts";
import type { YamlTree } from "./yaml-tree.ts";

/** The node's value. What is aliased is one object in several places; `known` has values by their nodes. */
export function nodeValue(tree: YamlTree, node: YamlNode, known: Map<YamlNode, unknown>): unknown {
  if (node.kind === "scalar") return node.value;
  if (node.kind === "alias") {
    const target = tree.target(node);
    return target && nodeValue(tree, target, known);
  }
  if (known.has(node)) return known.get(node);
  let value: unknown;
  if (node.kind === "seq") value = node.items.map((item) => nodeValue(tree, item, known) ?? null);
  else {
    const map: Record<string, unknown> = {};
    fill(tree, map, node, known);
    value = map;
  }
  known.set(node, value);
  return value;
}

/** The map's own members come first, then those of the maps that are merged into it. */
function fill(
  tree: YamlTree,
  value: Record<string, unknown>,
  map: MapNode,
  known: Map<YamlNode, unknown>,
): void {
  for (const pair of map.pairs) {
    const key = String(pair.key.value);
    if (key === MERGE || Object.hasOwn(value, key)) continue;
    const member = nodeValue(tree, pair.value, known);
    if (key === "__proto__") Object.defineProperty(value, key, { value: member, enumerable: true });
    else value[key] = member;
  }
  for (const merged of tree.merged(map)) fill(tree, value, merged, known);
}
