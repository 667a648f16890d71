/** Parses a piece of YAML by the `yaml` package into nodes of our own. */
import {
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Node,
  parseDocument,
  type YAMLError,
} from "yaml";
import { formatText, type Text, text } from "../../text.ts";
import { YAML_MESSAGES } from "./yaml-messages.ts";
import type { MapNode, Pair, ScalarNode, YamlNode } from "./yaml-node.ts";

/** What is wrong with a text as YAML, with offsets in it. */
export interface YamlDiagnostic {
  code: "yaml-syntax" | "tab-indent" | "duplicate-key" | "unknown-anchor";
  severity: "error" | "warning";
  /** In English. */
  message: string;
  text: Text;
  start: number;
  end: number;
  related?: { text: Text; start: number; end: number };
  /** The replacement for this range. */
  suggestion?: string;
}

export function yamlDiagnostic(
  code: YamlDiagnostic["code"],
  message: Text,
  start: number,
  end: number,
  more: Partial<YamlDiagnostic> = {},
): YamlDiagnostic {
  return { code, severity: "error", message: formatText(message), text: message, start, end, ...more };
}

export interface ParsedYaml {
  root: YamlNode | undefined;
  diagnostics: YamlDiagnostic[];
}

/** Deeper nodes are not converted: linkup.yaml has six levels. */
const MAX_DEPTH = 100;

/** Parses a text without tabs as indentation; tab-indentation.ts handles those. */
export function readYaml(source: string): ParsedYaml {
  return new Reader(source).read();
}

/** A copy with other offsets. */
export function movedDiagnostic(diagnostic: YamlDiagnostic, to: (offset: number) => number): YamlDiagnostic {
  const place = <P extends { start: number; end: number }>(at: P) => ({
    ...at,
    start: to(at.start),
    end: to(at.end),
  });
  const { related } = diagnostic;
  return related ? { ...place(diagnostic), related: place(related) } : place(diagnostic);
}

class Reader {
  readonly #text: string;
  #isTooDeep = false;
  readonly #diagnostics: YamlDiagnostic[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  read(): ParsedYaml {
    return { root: this.#root(), diagnostics: this.#diagnostics };
  }

  #root(): YamlNode | undefined {
    const document = this.#parse(this.#text);
    if (!document) return undefined;
    const unclosed = document.errors.find(({ message }) => message.startsWith("Missing closing"));
    const quote = unclosed && this.#unclosedQuote(document);
    if (quote === undefined) return this.#converted(document);
    // Without the unclosed quote the lines after it parse as they look.
    const lineEnd = this.#lineEnd(quote);
    const line = this.#text.slice(quote, lineEnd);
    this.#error(text(YAML_MESSAGES.unclosedQuote, line[0]!), quote, lineEnd, { suggestion: line + line[0] });
    const repaired = this.#parse(`${this.#text.slice(0, quote)} ${this.#text.slice(quote + 1)}`);
    return repaired && this.#converted(repaired);
  }

  #parse(source: string): Document | undefined {
    // Each of its errors would take a stack trace, which costs more than the rest: there may be one on each line.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    try {
      return parseDocument(source, { prettyErrors: false, uniqueKeys: false });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.#tooDeep(0);
      return undefined;
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  }

  #converted(document: Document): YamlNode | undefined {
    const root = document.contents ? this.#node(document.contents as Node, 0) : undefined;
    for (const error of document.errors) this.#yamlProblem(error, "error", root);
    for (const warning of document.warnings) this.#yamlProblem(warning, "warning", root);
    return root;
  }

  #error(message: Text, start: number, end: number, more: Partial<YamlDiagnostic> = {}): void {
    this.#diagnostics.push(yamlDiagnostic("yaml-syntax", message, start, end, more));
  }

  /** Reported once: a node that is too deep contains others. */
  #tooDeep(start: number): void {
    if (this.#isTooDeep) return;
    this.#isTooDeep = true;
    this.#error(text(YAML_MESSAGES.tooDeep), start, this.#lineEnd(start));
  }

  #yamlProblem(
    { code, message, pos }: YAMLError,
    severity: "error" | "warning",
    root: YamlNode | undefined,
  ): void {
    const [start, end] = pos;
    if (code === "RESOURCE_EXHAUSTION") {
      this.#tooDeep(start);
      return;
    }
    const closer = code === "BAD_INDENT" ? /^Flow .* end with a ([\]}])$/.exec(message)?.[1] : undefined;
    const open = closer && root ? flowEndingAt(root, this.#text, start) : undefined;
    if (open && closer) {
      const lineEnd = this.#lineEnd(open.start);
      const message = closer === "]" ? YAML_MESSAGES.unclosedList : YAML_MESSAGES.unclosedMap;
      const line = this.#text.slice(open.start, lineEnd).trimEnd();
      const unfinished = line.endsWith(",") ? line.slice(0, -1).trimEnd() : line;
      this.#error(text(message), open.start, lineEnd, {
        suggestion: `${unfinished}${closer === "}" ? " }" : closer}`,
      });
      return;
    }
    if (code === "MULTIPLE_DOCS") {
      const marker = this.#text.lastIndexOf("---", start);
      this.#error(text(YAML_MESSAGES.secondDocument), marker === -1 ? start : marker, end);
      return;
    }
    const clearer = CLEARER_MESSAGES[code];
    const messageText = clearer ? text(clearer) : text(YAML_MESSAGES.other, message.replace(/\.$/, ""));
    this.#error(messageText, start, end, { severity });
  }

  /** The start of the quoted text that is still open at the end of the file. */
  #unclosedQuote(document: Document): number | undefined {
    const find = (node: unknown): number | undefined => {
      if (isPair(node)) return find(node.value) ?? find(node.key);
      if (isMap(node) || isSeq(node)) return find(node.items.at(-1));
      return isScalar(node) && /^QUOTE/.test(node.type ?? "") ? node.range?.[0] : undefined;
    };
    return find(document.contents);
  }

  /** The end of the line's text, without a comment. */
  #lineEnd(offset: number): number {
    const newline = this.#text.indexOf("\n", offset);
    const line = this.#text.slice(offset, newline === -1 ? undefined : newline);
    const comment = line.search(/\s#/);
    return offset + (comment === -1 ? line : line.slice(0, comment)).trimEnd().length;
  }

  #node(node: Node, depth: number): YamlNode {
    const [start = 0, valueEnd = 0] = node.range ?? [];
    const end = start + this.#text.slice(start, valueEnd).trimEnd().length;
    if (isAlias(node)) return { kind: "alias", start, end, name: node.source };
    const anchor = "anchor" in node && node.anchor ? { anchor: node.anchor } : {};
    if (depth > MAX_DEPTH) {
      this.#tooDeep(start);
    } else if (isMap(node)) {
      const map: MapNode = { kind: "map", start, end, flow: node.flow === true, pairs: [], ...anchor };
      const keys = new Map<string, ScalarNode>();
      for (const { key, value } of node.items) map.pairs.push(this.#pair(key, value, depth, start, keys));
      if (!map.flow && map.pairs.length > 0) map.end = map.pairs.at(-1)!.value.end;
      return map;
    } else if (isSeq(node)) {
      const items = node.items.map((item) => this.#item(item, end, depth));
      const flow = node.flow === true;
      return { kind: "seq", start, end: flow ? end : (items.at(-1)?.end ?? end), flow, items, ...anchor };
    }
    return this.#scalar(node, start, end, anchor);
  }

  #scalar(node: Node, start: number, end: number, anchor: { anchor?: string }): ScalarNode {
    const { value, type } = isScalar(node) ? node : { value: this.#text.slice(start, end), type: "PLAIN" };
    const style =
      type === "QUOTE_SINGLE"
        ? "single"
        : type === "QUOTE_DOUBLE"
          ? "double"
          : type?.startsWith("BLOCK")
            ? "block"
            : "plain";
    const simple = value === null || /^(string|number|boolean|bigint)$/.test(typeof value);
    return {
      kind: "scalar",
      start,
      end,
      value: simple ? (value as ScalarNode["value"]) : String(value),
      style,
      ...anchor,
    };
  }

  /** `keys` are the keys of the map so far. */
  #pair(key: unknown, value: unknown, depth: number, mapStart: number, keys: Map<string, ScalarNode>): Pair {
    const keyNode = this.#item(key, mapStart, depth);
    const scalar = keyNode.kind === "scalar" ? keyNode : this.#keyScalar(keyNode);
    const first = keys.get(String(scalar.value));
    if (first) this.#diagnostics.push(duplicateKey(scalar, first));
    else keys.set(String(scalar.value), scalar);
    return { key: scalar, value: this.#item(value, scalar.end, depth) };
  }

  #keyScalar(node: Exclude<YamlNode, ScalarNode>): ScalarNode {
    const { start, end } = node;
    const source = this.#text.slice(start, end);
    const key: ScalarNode = { kind: "scalar", start, end, value: source, style: "plain" };
    if (node.kind === "alias") key.alias = node.name;
    else if (node.anchor !== undefined) key.anchor = node.anchor;
    return key;
  }

  /** A node, or an empty scalar where the value is missing. */
  #item(node: unknown, otherwise: number, depth: number): YamlNode {
    if (isPair(node)) {
      const pair = this.#pair(node.key, node.value, depth, otherwise, new Map());
      return {
        kind: "map",
        start: pair.key.start,
        end: Math.max(pair.key.end, pair.value.end),
        flow: true,
        pairs: [pair],
      };
    }
    if (node) return this.#node(node as Node, depth + 1);
    return { kind: "scalar", start: otherwise, end: otherwise, value: null, style: "plain" };
  }
}

/** Replacements for messages of the `yaml` package that are hard to understand, by its error code. */
const CLEARER_MESSAGES: Readonly<Record<string, string>> = {
  BLOCK_AS_IMPLICIT_KEY: YAML_MESSAGES.secondKey,
  MULTILINE_IMPLICIT_KEY: YAML_MESSAGES.multilineKey,
};

/** The innermost list or map in brackets or braces that ends at this offset without its closing character. */
function flowEndingAt(node: YamlNode, text: string, offset: number): YamlNode | undefined {
  if (node.kind === "scalar" || node.kind === "alias") return undefined;
  for (const child of node.kind === "map" ? node.pairs.map(({ value }) => value) : node.items) {
    const found = flowEndingAt(child, text, offset);
    if (found) return found;
  }
  const closed = /[\]}]$/.test(text.slice(node.start, node.end));
  return node.flow && !closed && text.slice(node.end, offset).trim() === "" && node.end <= offset
    ? node
    : undefined;
}

export function duplicateKey(key: ScalarNode, first: ScalarNode): YamlDiagnostic {
  return yamlDiagnostic(
    "duplicate-key",
    text(YAML_MESSAGES.duplicateKey, String(key.value)),
    key.start,
    key.end,
    { related: { text: text(YAML_MESSAGES.firstKey), start: first.start, end: first.end } },
  );
}
