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

/** A copy with other places. Written out, not spread: a keystroke moves all that follows it. */
export function moved(node: ScalarNode, to: (offset: number) => number): ScalarNode;
export function moved(node: YamlNode, to: (offset: number) => number): YamlNode;
export function moved(node: YamlNode, to: (offset: number) => number): YamlNode {
  const [start, end] = [to(node.start), to(node.end)];
  const anchor = node.anchor === undefined ? {} : { anchor: node.anchor };
  switch (node.kind) {
    case "scalar":
      return { kind: "scalar", start, end, value: node.value, style: node.style, ...anchor };
    case "alias":
      return { kind: "alias", start, end, name: node.name };
    case "map": {
      const pairs = node.pairs.map(({ key, value }) => ({ key: moved(key, to), value: moved(value, to) }));
      return { kind: "map", start, end, flow: node.flow, pairs, ...anchor };
    }
    case "seq":
      return {
        kind: "seq",
        start,
        end,
        flow: node.flow,
        items: node.items.map((item) => moved(item, to)),
        ...anchor,
      };
  }
}

/** What stands directly in a map or list, in the order of the text. */
export function children(node: YamlNode): YamlNode[] {
  if (node.kind === "map") return node.pairs.flatMap(({ key, value }) => [key, value]);
  return node.kind === "seq" ? node.items : [];
}

/** Whether anchors or aliases are in it. */
export function isLinked(node: YamlNode): boolean {
  return node.kind === "alias" || node.anchor !== undefined || children(node).some(isLinked);
}

/** How many nodes it consists of. */
export function size(node: YamlNode): number {
  return children(node).reduce((sum, child) => sum + size(child), 1);
}
