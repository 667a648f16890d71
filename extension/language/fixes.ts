/** Remedies for findings, as edits of the text. */
import { infoAt } from "../../core/config/keys.ts";
import type { MapNode, ScalarNode, YamlNode } from "../../core/config/node.ts";
import type { Path } from "../../core/config/tree.ts";
import { compile } from "../../core/pattern/pattern.ts";
import type { Command } from "../ids.ts";
import { t } from "../words.ts";
import type { Finding } from "./diagnostics.ts";
import { insertKey, itemLines, removePair, replaceScalar, scalar } from "./edits.ts";
import { type Facts, localPort } from "./facts.ts";
import { columnOf } from "./lines.ts";
import type { Model, TextEdit } from "./model.ts";
import {
  backtrackingFixes,
  dialectFixes,
  groupFixes,
  invalidPatternFixes,
  type TextFix,
} from "./pattern-fixes.ts";

export interface Fix {
  title: string;
  /** None where a command does the work. */
  edits: TextEdit[];
  command?: { command: Command; service?: string };
}

type Remedy = (model: Model, finding: Finding, facts: Facts) => Fix[];

/** The most likely one first. */
export function fixes(model: Model, finding: Finding, facts: Facts): Fix[] {
  return REMEDIES[finding.code](model, finding, facts);
}

/** Puts the finding's own suggestion in its place. */
const suggested: Remedy = (model, { start, end, suggestion, path }) => {
  if (suggestion === undefined) return [];
  const node = model.tree.resolved(model.tree.node(path));
  const whole = path.length > 0 && node?.kind === "scalar" && node.start === start;
  const text = whole ? scalar(suggestion, node.style) : suggestion;
  return [{ title: t('Change to "{0}"', suggestion.trim()), edits: [{ start, end, text }] }];
};

const REMEDIES: Readonly<Record<Finding["code"], Remedy>> = {
  "yaml-syntax": suggested,
  "tab-indent": (_, { start, end, suggestion }) => [
    { title: t("Use spaces"), edits: [{ start, end, text: suggestion ?? "  " }] },
  ],
  "duplicate-key": (model, { start }) => {
    const at = pairAt(model.tree.root, start);
    return at ? [{ title: t("Remove this key"), edits: [removePair(model.text, at.map, at.index)] }] : [];
  },
  "unknown-anchor": ({ tree }, { start, end }) =>
    tree.anchors.map((name) => ({
      title: t('Change to "{0}"', `*${name}`),
      edits: [{ start, end, text: `*${name}` }],
    })),
  "missing-key": missingKey,
  "unknown-key": (model, finding, facts) => {
    const at = pairAt(model.tree.root, finding.start);
    const remove = at
      ? [{ title: t("Remove this key"), edits: [removePair(model.text, at.map, at.index)] }]
      : [];
    return [...suggested(model, finding, facts), ...remove];
  },
  "wrong-value": wrongValue,
  "unknown-service": unknownService,
  "duplicate-service": (model, { path }) => {
    const node = scalarAt(model, path);
    if (!node) return [];
    const names = new Set(model.outline.services.map(({ name }) => name.text));
    let number = 2;
    while (names.has(`${node.value}-${number}`)) number++;
    const name = `${node.value}-${number}`;
    return [
      { title: t('Rename this one to "{0}"', name), edits: [replaceScalar(model.tree, node, name)] },
      ...removeItem(model, path),
    ];
  },
  "duplicate-domain": (model, { path }) => removeItem(model, path),
  "invalid-domain": suggested,
  "session-domain": (model, { path, severity }) => (severity === "warning" ? removeItem(model, path) : []),
  "invalid-pattern": (model, finding) => patternFixes(model, finding, invalidPatternFixes),
  "pattern-dialect": (model, finding) => patternFixes(model, finding, dialectFixes),
  "pattern-backtracking": (model, finding) => patternFixes(model, finding, backtrackingFixes),
  "unknown-group": (model, finding) => {
    const source = scalarAt(model, [...finding.path.slice(0, -1), "source"]);
    const compiled = compile(String(source?.value));
    return patternFixes(model, finding, (target, start, end) =>
      compiled.ok ? groupFixes(target, start, end, compiled.pattern.groups) : [],
    );
  },
  "unreachable-route": unreachableRoute,
  "same-location": (model, { path }) => {
    const node = scalarAt(model, path);
    const location = `http://localhost:${freePort(model, 3000)}`;
    return node
      ? [{ title: t('Change to "{0}"', location), edits: [replaceScalar(model.tree, node, location)] }]
      : [];
  },
  "shared-port": (model, { path }) => {
    const node = scalarAt(model, path);
    const port = node && localPort(String(node.value));
    if (!node || port === undefined) return [];
    const url = new URL(String(node.value));
    const free = freePort(model, port + 1);
    url.port = String(free);
    const location = /\/$/.test(String(node.value)) ? url.href : url.href.replace(/\/$/, "");
    return [
      {
        title: t("Use port {0}, which no other service has", String(free)),
        edits: [replaceScalar(model.tree, node, location)],
      },
    ];
  },
  "nothing-listens": ({ outline }, { path }, { session }) => {
    const service = outline.services.find((service) => service.path[1] === path[1])?.name.text;
    const view = session?.services.find(({ name }) => name === service);
    if (service === undefined || view?.target !== "local") return [];
    return [
      { title: t("Route {0} to remote", service), edits: [], command: { command: "routeToRemote", service } },
    ];
  },
  "token-in-file": (model, { path }) => {
    const node = scalarAt(model, path);
    const map = model.tree.resolved(model.tree.node(path.slice(0, -1)));
    if (!node || map?.kind !== "map") return [];
    const index = map.pairs.findIndex(({ key }) => key.value === "worker_token");
    const own: Fix[] = [
      {
        title: t("Read it from the variable LINKUP_WORKER_TOKEN"),
        edits: [replaceScalar(model.tree, node, "${env:LINKUP_WORKER_TOKEN}")],
      },
    ];
    if (index === -1) return own;
    const edits = [removePair(model.text, map, index)];
    return [
      ...own,
      { title: t("Move it to the editor's secret storage"), edits, command: { command: "setWorkerToken" } },
    ];
  },
};

function scalarAt({ tree }: Model, path: Path): ScalarNode | undefined {
  const node = tree.resolved(tree.node(path));
  return node?.kind === "scalar" ? node : undefined;
}

/** The pair whose key starts there. */
function pairAt(node: YamlNode | undefined, offset: number): { map: MapNode; index: number } | undefined {
  if (node?.kind === "map") {
    const index = node.pairs.findIndex(({ key }) => key.start === offset);
    if (index !== -1) return { map: node, index };
    const pair = node.pairs.findLast(({ value }) => value.start <= offset && offset <= value.end);
    return pairAt(pair?.value, offset);
  }
  if (node?.kind === "seq")
    return pairAt(
      node.items.findLast(({ start, end }) => start <= offset && offset <= end),
      offset,
    );
  return undefined;
}

/** Fixes of the text of the scalar at the finding's path, where that text stands as it is. */
function patternFixes(
  model: Model,
  { path, start, end }: Finding,
  find: (text: string, start: number, end: number) => TextFix[],
): Fix[] {
  const node = scalarAt(model, path);
  if (typeof node?.value !== "string" || node.style === "block") return [];
  const begin = node.start + (node.style === "plain" ? 0 : 1);
  if (model.text.slice(begin, begin + node.value.length) !== node.value) return [];
  return find(node.value, start - begin, end - begin).map(({ title, text }) => ({
    title,
    edits: [replaceScalar(model.tree, node, text)],
  }));
}

function missingKey(model: Model, { path }: Finding): Fix[] {
  const key = String(path.at(-1));
  const parent = path.length > 1 ? model.tree.resolved(model.tree.node(path.slice(0, -1))) : model.tree.root;
  if (path.length === 0 || (parent === undefined && path.length === 1)) return [];
  if (parent?.kind !== "map" || parent.pairs.length === 0) return [];
  const edit = insertKey(
    model.text,
    parent,
    key,
    parent.flow ? (FLOW_VALUES[key] ?? example(path)) : (VALUES[key] ?? example(path)),
  );
  return [{ title: t('Add the key "{0}"', key), edits: [edit] }];
}

/** What a new key is given: the schema's first example. */
function example(path: Path): string {
  const [first] = infoAt(path)?.examples ?? [];
  return typeof first === "string" ? scalar(first) : "";
}

const VALUES: Readonly<Record<string, string>> = {
  linkup: "\n  worker_url: https://linkup.example.com",
  services: "\n  - name: web\n    remote: https://web.example.com\n    local: http://localhost:3000",
  domains: "\n  - domain: example.com\n    default_service: web",
};
const FLOW_VALUES: Readonly<Record<string, string>> = {
  linkup: "{ worker_url: https://linkup.example.com }",
  services: "[{ name: web, remote: https://web.example.com, local: http://localhost:3000 }]",
  domains: "[{ domain: example.com, default_service: web }]",
};

function wrongValue(model: Model, { path, start, end }: Finding): Fix[] {
  const node = model.tree.resolved(model.tree.node(path));
  if (node?.kind !== "scalar") return [];
  const info = infoAt(path);
  const text = model.text.slice(start, end);
  const value = node.value;
  const change = (to: string): Fix => ({
    title: t('Change to "{0}"', to),
    edits: [{ start, end, text: to }],
  });
  const key = path.at(-1);
  if (key === "remote" || key === "local" || key === "worker_url") {
    if (typeof value === "number" && key === "local") return [change(`http://localhost:${value}`)];
    if (typeof value !== "string") return [];
    const host = value.replace(/^[a-z]*:?\/+/i, "").replace(/^:(?=\d)/, "localhost:");
    if (/^\d+$/.test(host) && key === "local") return [change(`http://localhost:${host}`)];
    const near = key === "local" || /^(localhost|127\.)/.test(host);
    const url = `${near ? "http" : "https"}://${host}`;
    return host !== "" && URL.canParse(url) && !/\s/.test(host) ? [change(scalar(url, node.style))] : [];
  }
  if (info?.kind === "boolean") {
    const means = { yes: "true", on: "true", no: "false", off: "false", true: "true", false: "false" }[
      String(value).toLowerCase()
    ];
    return means ? [change(means)] : [];
  }
  if (info?.kind === "list" && value !== null && !/\n/.test(text)) return [change(`[${text}]`)];
  if (path.at(-2) === "statuses" && typeof value === "string" && /^[1-5]\d\d$/.test(value))
    return [change(value)];
  if (info?.kind === "text" && (typeof value === "number" || typeof value === "boolean"))
    return [change(JSON.stringify(text))];
  return [];
}

function unknownService(model: Model, finding: Finding, facts: Facts): Fix[] {
  const node = scalarAt(model, finding.path);
  const list = model.tree.resolved(model.tree.node(["services"]));
  const likely = suggested(model, finding, facts);
  if (!node || list?.kind !== "seq" || list.flow || list.items.length === 0) return likely;
  const last = list.items.at(-1)!;
  if (last.kind !== "map" || last.flow || last.pairs.length === 0) return likely;
  const { text } = model;
  const column = columnOf(text, last.pairs[0]!.key.start);
  const lines = [
    `- name: ${scalar(String(node.value))}`,
    `  remote: https://${String(node.value)
      .toLowerCase()
      .replace(/[^a-z0-9-]+/g, "-")}.example.com`,
    `  local: http://localhost:${freePort(model, 3000)}`,
  ];
  const { end } = itemLines(model.tree, last, undefined);
  const newline = text.includes("\r\n") ? "\r\n" : "\n";
  const indent = " ".repeat(Math.max(0, column - 2));
  const before = text[end - 1] === "\n" ? "" : newline;
  const added = before + lines.map((line) => indent + line + newline).join("");
  return [
    ...likely,
    { title: t('Add the service "{0}"', String(node.value)), edits: [{ start: end, end, text: added }] },
  ];
}

/** Takes the item of a list that the path leads into out of the file, with the comment above it. */
function removeItem({ tree, text }: Model, path: Path): Fix[] {
  const index = path.findLastIndex((step) => typeof step === "number");
  const list = tree.resolved(tree.node(path.slice(0, index)));
  const position = path[index] as number;
  if (list?.kind !== "seq" || list.items.length < 2) return [];
  const item = list.items[position]!;
  const title = t(
    "Remove this {0}",
    path[index - 1] === "domains" ? t("domain") : path[index - 1] === "routes" ? t("route") : t("service"),
  );
  if (list.flow) {
    const next = list.items[position + 1];
    const start = next ? item.start : list.items[position - 1]!.end;
    return [{ title, edits: [{ start, end: next ? next.start : item.end, text: "" }] }];
  }
  const lines = itemLines(tree, item, list.items[position + 1]);
  return text.slice(lines.start, item.start).includes("- -")
    ? []
    : [{ title, edits: [{ ...lines, text: "" }] }];
}

/** The route moves before the one that takes its paths; or goes. */
function unreachableRoute(model: Model, finding: Finding): Fix[] {
  const { tree, text } = model;
  const remove = removeItem(model, finding.path);
  const list = tree.resolved(tree.node(finding.path.slice(0, -2)));
  const index = finding.path.at(-2) as number;
  if (!finding.related || list?.kind !== "seq") return remove;
  const earlier = list.items.findIndex(
    ({ start, end }) => start <= finding.related!.start && finding.related!.end <= end,
  );
  const [item, before] = [list.items[index], list.items[earlier]];
  if (!item || !before || earlier >= index) return remove;
  const same =
    text.slice(finding.start, finding.end) === text.slice(finding.related.start, finding.related.end);
  if (same) return remove;
  const title = t("Move it before the route that takes its paths");
  if (list.flow) {
    const moved = text.slice(item.start, item.end);
    const cut = { start: list.items[index - 1]!.end, end: item.end, text: "" };
    return [
      { title, edits: [{ start: before.start, end: before.start, text: `${moved}, ` }, cut] },
      ...remove,
    ];
  }
  const from = itemLines(tree, item, list.items[index + 1]);
  const to = itemLines(tree, before, list.items[earlier + 1]).start;
  let moved = text.slice(from.start, from.end);
  if (!moved.endsWith("\n")) moved += text.includes("\r\n") ? "\r\n" : "\n";
  return [
    {
      title,
      edits: [
        { start: to, end: to, text: moved },
        { ...from, text: "" },
      ],
    },
    ...remove,
  ];
}

function freePort({ outline }: Model, from: number): number {
  const used = new Set(outline.services.map(({ local }) => local && localPort(local.text)));
  let port = from;
  while (used.has(port) && port < 65_535) port++;
  return port;
}
