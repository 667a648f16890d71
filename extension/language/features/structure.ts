/** The file's structure: its symbols, and what can be folded. */
import type { YamlNode } from "../../../core/config/yaml/yaml-node.ts";
import type { DocumentModel, Span } from "../document/document-model.ts";

export interface OutlineSymbol extends Span {
  name: string;
  detail: string;
  kind: "section" | "service" | "domain" | "route" | "rewrite" | "value";
  /** The part that is its name. */
  selection: Span;
  children: OutlineSymbol[];
}

export function symbols({ tree, outline }: DocumentModel): OutlineSymbol[] {
  const root = tree.resolved(tree.root);
  if (root?.kind !== "map") return [];
  return root.pairs.map(({ key, value }): OutlineSymbol => {
    const name = String(key.value);
    const end = Math.max(key.end, value.end);
    const within = ({ start }: Span) => key.start <= start && start < end;
    return {
      name: name || "?",
      detail: "",
      kind: "section",
      start: key.start,
      end,
      selection: { start: key.start, end: key.end },
      children:
        name === "services"
          ? services().filter(within)
          : name === "domains"
            ? domains().filter(within)
            : name === "overrides"
              ? overrides().filter(within)
              : plain(value),
    };
  });

  function services(): OutlineSymbol[] {
    return outline.services.map(({ name, node, remote, local, rewrites }) =>
      symbol(name.text, [local?.text, remote?.text].filter(Boolean).join(" · "), "service", node, name.node, [
        ...rewrites.map(({ node, source, target }) =>
          symbol(source.text, `→ ${target}`, "rewrite", node, source.node),
        ),
      ]),
    );
  }

  function overrides(): OutlineSymbol[] {
    return outline.overrides.map(({ name, node, service, target }) => {
      const detail = [service?.text, target && `→ ${target.text}`].filter(Boolean).join(" ");
      return symbol(name.text, detail, "route", node, name.node);
    });
  }

  function domains(): OutlineSymbol[] {
    return outline.domains.map(({ domain, node, defaultService, routes }) =>
      symbol(domain.text, `→ ${defaultService?.text ?? "?"}`, "domain", node, domain.node, [
        ...routes.map(({ node, pattern, service }) =>
          symbol(pattern.text, `→ ${service?.text ?? "?"}`, "route", node, pattern.node),
        ),
      ]),
    );
  }
}

/** VS Code wants the name inside the symbol, and the children inside their parent: what is aliased stands elsewhere. */
function symbol(
  name: string,
  detail: string,
  kind: OutlineSymbol["kind"],
  node: YamlNode,
  at: Span,
  children: OutlineSymbol[] = [],
): OutlineSymbol {
  const selection =
    node.start <= at.start && at.end <= node.end ? at : { start: node.start, end: node.start };
  const inside = children.filter(({ start, end }) => node.start <= start && end <= node.end);
  const { start, end } = node;
  return {
    name,
    detail,
    kind,
    start,
    end,
    selection: { start: selection.start, end: selection.end },
    children: inside,
  };
}

function plain(node: YamlNode): OutlineSymbol[] {
  if (node.kind !== "map") return [];
  return node.pairs.map(({ key, value }) => ({
    name: String(key.value) || "?",
    // The outline must not show the token.
    detail: value.kind === "scalar" && key.value !== "worker_token" ? String(value.value ?? "") : "",
    kind: "value",
    start: key.start,
    end: Math.max(key.end, value.end),
    selection: { start: key.start, end: key.end },
    children: [],
  }));
}

interface Fold {
  /** Lines from 0, both shown or hidden as the editor does. */
  startLine: number;
  endLine: number;
  kind: "region" | "comment";
}

/** Maps and lists of several lines below their key or dash, and comments of several lines. */
export function folds({ tree, text, parsed }: DocumentModel): Fold[] {
  const found = new Map<number, Fold>();
  const line = (offset: number) => parsed.positions.position(offset).line;
  const add = (start: number, end: number) => {
    const [startLine, endLine] = [line(start), line(end)];
    const known = found.get(startLine);
    if (endLine > startLine && (known?.endLine ?? 0) < endLine)
      found.set(startLine, { startLine, endLine, kind: "region" });
  };
  const visit = (node: YamlNode): void => {
    if (node.kind === "map") {
      for (const { key, value } of node.pairs) {
        if (value.end > value.start) add(key.start, value.end);
        visit(value);
      }
    } else if (node.kind === "seq") {
      for (const item of node.items) {
        if (item.kind !== "scalar") add(item.start, item.end);
        visit(item);
      }
    }
  };
  if (tree.root) visit(tree.root);
  return [...found.values(), ...comments(text)].sort(
    (a, b) => a.startLine - b.startLine || b.endLine - a.endLine,
  );
}

function comments(text: string): Fold[] {
  const folds: Fold[] = [];
  let first = -1;
  const lines = [...text.split("\n"), ""];
  for (const [i, line] of lines.entries()) {
    const isComment = /^\s*#/.test(line);
    if (isComment && first === -1) first = i;
    if (isComment || first === -1) continue;
    if (i - first > 1) folds.push({ startLine: first, endLine: i - 1, kind: "comment" });
    first = -1;
  }
  return folds;
}
