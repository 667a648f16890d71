/** The nodes of a YAML text, each with its place. Offsets are UTF-16 units from the start of the text. */

/** The way to a value: `["services", 0, "name"]`. */
export type Path = (string | number)[];

interface Placed {
  start: number;
  /** Just after its last character, white space and comments excluded. */
  end: number;
  /** The name given by `&name`. */
  anchor?: string;
}

export interface ScalarNode extends Placed {
  kind: "scalar";
  value: string | number | boolean | bigint | null;
  style: "plain" | "single" | "double" | "block";
  /** For a key written as the alias `*name`: that name. The value is then what the alias refers to. */
  alias?: string;
}
export interface AliasNode extends Placed {
  kind: "alias";
  name: string;
}
export interface Pair {
  /** A key that is a map or a list is represented by its text. */
  key: ScalarNode;
  /** An empty scalar when it is missing. */
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

/** Looks up what nodes refer to. */
export interface NodeResolver {
  /** The target of the alias; undefined when there is no such anchor. */
  target(alias: AliasNode): YamlNode | undefined;
  /** The maps that are merged into this one. */
  merged(map: MapNode): MapNode[];
}

/** A copy with other offsets. Written out because spreading is slow, and a keystroke moves everything after it. */
export function withOffsets(node: ScalarNode, to: (offset: number) => number): ScalarNode;
export function withOffsets(node: YamlNode, to: (offset: number) => number): YamlNode;
export function withOffsets(node: YamlNode, to: (offset: number) => number): YamlNode {
  const [start, end] = [to(node.start), to(node.end)];
  const anchor = node.anchor === undefined ? {} : { anchor: node.anchor };
  switch (node.kind) {
    case "scalar":
      return node.alias === undefined
        ? { kind: "scalar", start, end, value: node.value, style: node.style, ...anchor }
        : { kind: "scalar", start, end, value: node.value, style: node.style, alias: node.alias, ...anchor };
    case "alias":
      return { kind: "alias", start, end, name: node.name };
    case "map": {
      const pairs = node.pairs.map(({ key, value }) => ({
        key: withOffsets(key, to),
        value: withOffsets(value, to),
      }));
      return { kind: "map", start, end, flow: node.flow, pairs, ...anchor };
    }
    case "seq":
      return {
        kind: "seq",
        start,
        end,
        flow: node.flow,
        items: node.items.map((item) => withOffsets(item, to)),
        ...anchor,
      };
  }
}

/** The direct children of a map or list, in the order of the text. */
export function children(node: YamlNode): YamlNode[] {
  if (node.kind === "map") return node.pairs.flatMap(({ key, value }) => [key, value]);
  return node.kind === "seq" ? node.items : [];
}

/** Whether it contains anchors or aliases. */
export function hasAnchorOrAlias(node: YamlNode): boolean {
  return (
    node.kind === "alias" ||
    (node.kind === "scalar" && node.alias !== undefined) ||
    node.anchor !== undefined ||
    children(node).some(hasAnchorOrAlias)
  );
}

/** The number of nodes it consists of. */
export function nodeCount(node: YamlNode): number {
  return children(node).reduce((sum, child) => sum + nodeCount(child), 1);
}
