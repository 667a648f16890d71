/** Converts YAML nodes to plain JavaScript values. */
import { type MapNode, MERGE, type NodeResolver, type YamlNode } from "./yaml-node.ts";

/** The node's value. An aliased value is one object in several places; `known` memoises values by node. */
export function nodeValue(resolver: NodeResolver, node: YamlNode, known: Map<YamlNode, unknown>): unknown {
  if (node.kind === "scalar") return node.value;
  if (node.kind === "alias") {
    const target = resolver.target(node);
    return target && nodeValue(resolver, target, known);
  }
  if (known.has(node)) return known.get(node);
  let value: unknown;
  if (node.kind === "seq") value = node.items.map((item) => nodeValue(resolver, item, known) ?? null);
  else {
    const map: Record<string, unknown> = {};
    fill(resolver, map, node, known);
    value = map;
  }
  known.set(node, value);
  return value;
}

/** The map's own members take precedence over those of the maps that are merged into it. */
function fill(
  resolver: NodeResolver,
  value: Record<string, unknown>,
  map: MapNode,
  known: Map<YamlNode, unknown>,
): void {
  for (const pair of map.pairs) {
    const key = String(pair.key.value);
    if (key === MERGE || Object.hasOwn(value, key)) continue;
    const member = nodeValue(resolver, pair.value, known);
    if (key === "__proto__") Object.defineProperty(value, key, { value: member, enumerable: true });
    else value[key] = member;
  }
  for (const merged of resolver.merged(map)) fill(resolver, value, merged, known);
}
