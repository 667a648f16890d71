/** The parts of a YAML text, each with its place. Offsets are UTF-16 units from the start of the text. */

interface Placed {
  start: number;
  /** Just behind the last character that belongs to it: no white space, no comment. */
  end: number;
  /** The name that `&name` gives it. */
  anchor?: string;
}

export interface ScalarNode extends Placed {
  kind: "scalar";
  value: string | number | boolean | bigint | null;
  style: "plain" | "single" | "double" | "block";
}
export interface AliasNode extends Placed {
  kind: "alias";
  name: string;
}
export interface Pair {
  /** A key that is no scalar is here as its text. */
  key: ScalarNode;
  /** Where there is none, an empty scalar. */
  value: YamlNode;
}
export interface MapNode extends Placed {
  kind: "map";
  /** Written with braces. */
  flow: boolean;
  pairs: Pair[];
}
export interface SeqNode extends Placed {
  kind: "seq";
  /** Written with brackets. */
  flow: boolean;
  items: YamlNode[];
}
export type YamlNode = ScalarNode | AliasNode | MapNode | SeqNode;

export const MERGE = "<<";

/** A copy with other places. */
export function moved<N extends YamlNode>(node: N, to: (offset: number) => number): N {
  const copy: YamlNode = { ...node, start: to(node.start), end: to(node.end) };
  if (copy.kind === "map")
    copy.pairs = copy.pairs.map(({ key, value }) => ({ key: moved(key, to), value: moved(value, to) }));
  else if (copy.kind === "seq") copy.items = copy.items.map((item) => moved(item, to));
  return copy as N;
}

/** What stands directly in a map or list, in the order of the text. */
export function children(node: YamlNode): YamlNode[] {
  if (node.kind === "map") return node.pairs.flatMap(({ key, value }) => [key, value]);
  return node.kind === "seq" ? node.items : [];
}
