/** Reads a piece of YAML by the `yaml` package into nodes of our own. */
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
import type { MapNode, Pair, ScalarNode, YamlNode } from "./yaml-node.ts";

/** What is wrong with a text as YAML, with offsets in it. */
export interface YamlDiagnostic {
  code: "yaml-syntax" | "tab-indent" | "duplicate-key" | "unknown-anchor";
  severity: "error" | "warning";
  message: string;
  start: number;
  end: number;
  related?: { message: string; start: number; end: number };
  /** What to put in the place's stead. */
  suggestion?: string;
}

export interface ParsedYaml {
  root: YamlNode | undefined;
  diagnostics: YamlDiagnostic[];
}

/** Deeper ones are not looked into: linkup.yaml has six levels. */
const MAX_DEPTH = 100;
const TOO_DEEP = "This is nested too deeply.";

/** Reads a text that has no tabs as indentation; see tabs.ts for those that have. */
export function readYaml(text: string): ParsedYaml {
  return new Reader(text).read();
}

export function movedDiagnostic(problem: YamlDiagnostic, to: (offset: number) => number): YamlDiagnostic {
  const place = <P extends { start: number; end: number }>(at: P) => ({
    ...at,
    start: to(at.start),
    end: to(at.end),
  });
  const { related } = problem;
  return related ? { ...place(problem), related: place(related) } : place(problem);
}

class Reader {
  readonly #text: string;
  readonly #problems: YamlDiagnostic[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  read(): ParsedYaml {
    return { root: this.#root(), diagnostics: this.#problems };
  }

  #root(): YamlNode | undefined {
    const document = this.#parse(this.#text);
    if (!document) return undefined;
    const unclosed = document.errors.find(({ message }) => message.startsWith("Missing closing"));
    const quote = unclosed && this.#unclosedQuote(document);
    if (quote === undefined) return this.#converted(document);
    // Without the quote that is never closed, the lines after it are what they look like.
    const lineEnd = this.#lineEnd(quote);
    const line = this.#text.slice(quote, lineEnd);
    this.#problem(`The quote is never closed. Add a ${line[0]} at the end.`, quote, lineEnd, {
      suggestion: line + line[0],
    });
    const repaired = this.#parse(`${this.#text.slice(0, quote)} ${this.#text.slice(quote + 1)}`);
    return repaired && this.#converted(repaired);
  }

  #parse(text: string): Document | undefined {
    try {
      return parseDocument(text, { prettyErrors: false, uniqueKeys: false });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.#tooDeep(0);
      return undefined;
    }
  }

  #converted(document: Document): YamlNode | undefined {
    const root = document.contents ? this.#node(document.contents as Node, 0) : undefined;
    for (const error of document.errors) this.#yamlProblem(error, "error", root);
    for (const warning of document.warnings) this.#yamlProblem(warning, "warning", root);
    return root;
  }

  #problem(message: string, start: number, end: number, more: Partial<YamlDiagnostic> = {}): void {
    this.#problems.push({ code: "yaml-syntax", severity: "error", message, start, end, ...more });
  }

  /** Once: what is too deep has more inside that is. */
  #tooDeep(start: number): void {
    if (!this.#problems.some(({ message }) => message === TOO_DEEP))
      this.#problem(TOO_DEEP, start, this.#lineEnd(start));
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
      const what = closer === "]" ? "list" : "map";
      this.#problem(`This ${what} is never closed. Add a ${closer}.`, open.start, lineEnd, {
        suggestion: `${this.#text.slice(open.start, lineEnd).replace(/,?\s*$/, "")}${closer === "}" ? " }" : closer}`,
      });
      return;
    }
    this.#problem(SAID_BETTER[code] ?? `${message.replace(/\.$/, "")}.`, start, end, { severity });
  }

  /** The start of the quoted text that runs to the end. */
  #unclosedQuote(document: Document): number | undefined {
    const find = (node: unknown): number | undefined => {
      if (isPair(node)) return find(node.value) ?? find(node.key);
      if (isMap(node) || isSeq(node)) return find(node.items.at(-1));
      return isScalar(node) && /^QUOTE/.test(node.type ?? "") ? node.range?.[0] : undefined;
    };
    return find(document.contents);
  }

  /** The end of the line's text, a comment left out. */
  #lineEnd(offset: number): number {
    const newline = this.#text.indexOf("\n", offset);
    const line = this.#text.slice(offset, newline === -1 ? undefined : newline);
    return offset + line.replace(/\s+#.*$|\s+$/, "").length;
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
      for (const { key, value } of node.items) map.pairs.push(this.#pair(key, value, depth, map));
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

  #pair(key: unknown, value: unknown, depth: number, map: MapNode): Pair {
    const keyNode = this.#item(key, map.start, depth);
    const scalar: ScalarNode =
      keyNode.kind === "scalar"
        ? keyNode
        : { ...keyNode, kind: "scalar", value: this.#text.slice(keyNode.start, keyNode.end), style: "plain" };
    const first = map.pairs.find((pair) => String(pair.key.value) === String(scalar.value));
    if (first) this.#problems.push(duplicateKey(scalar, first.key));
    return { key: scalar, value: this.#item(value, scalar.end, depth) };
  }

  /** A node, or an empty scalar where there is none. */
  #item(node: unknown, otherwise: number, depth: number): YamlNode {
    if (isPair(node)) {
      const pair = this.#pair(node.key, node.value, depth, {
        kind: "map",
        start: otherwise,
        end: otherwise,
        flow: true,
        pairs: [],
      });
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

/** Words of the `yaml` package that say little to those who do not write parsers. */
const SAID_BETTER: Readonly<Record<string, string>> = {
  BLOCK_AS_IMPLICIT_KEY: "There is a second key on this line, or the line below is indented too far.",
  MULTILINE_IMPLICIT_KEY:
    "A key must be on one line: the line below is indented too far, or a colon is missing.",
};

/** The innermost list or map in brackets or braces that ends there without its closing character. */
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
  return {
    code: "duplicate-key",
    severity: "error",
    message: `The key "${key.value}" is here twice.`,
    start: key.start,
    end: key.end,
    related: { message: "It is first here.", start: first.start, end: first.end },
  };
}
