/** What can be written at the cursor: keys, names of services, ports that answer, ready-made parts. */
import { type KeyInfo, keyInfoAt } from "../../../core/config/model/schema-keys.ts";
import type { Path } from "../../../core/config/yaml/yaml-node.ts";
import { t } from "../../words.ts";
import type { DocumentModel, Span } from "../document/document-model.ts";
import type { EditorFacts } from "../document/editor-facts.ts";
import { localPort } from "../document/editor-facts.ts";
import { scalar } from "../document/edits.ts";
import { eol } from "../document/lines.ts";
import { aliasAt } from "../document/node-at.ts";
import { type Context, contextAt } from "../document/typing-context.ts";
import { keyText } from "./key-text.ts";

export interface Completion extends Span {
  label: string;
  kind: "key" | "service" | "value" | "snippet" | "anchor";
  /** In VS Code's syntax of snippets, whole lines with their indentation. */
  snippet: string;
  detail?: string;
  /** Markdown. */
  documentation?: string;
  /** Smaller ones first. */
  order: string;
  /** What is offered next is worth showing at once. */
  again?: boolean;
}

export function completions(model: DocumentModel, facts: EditorFacts, offset: number): Completion[] {
  const alias = aliasAt(model.text, offset);
  if (alias) return anchors(model, alias);
  const context = contextAt(model.tree, offset);
  if (!context) return [];
  const info = keyInfoAt(context.path);
  if (!info) return [];
  const found = offers(model, facts, context, info);
  return found.map((completion, i) => ({
    ...context.replace,
    order: String(i).padStart(4, "0"),
    ...completion,
  }));
}

function offers(model: DocumentModel, facts: EditorFacts, context: Context, info: KeyInfo): Offer[] {
  if (context.role === "value") return values(model, facts, context, info);
  if (info.kind === "list") return items(model, facts, context);
  if (info.kind === "map") return context.role === "key" ? keys(model, context, info) : [];
  // Behind the dash of a list of texts.
  return values(model, facts, context, info);
}

type Offer = Omit<Completion, "start" | "end" | "order">;

const ENTER = /\n/g;

/** Text that is not to be read as a snippet. */
const literal = (text: string) => text.replace(/[\\$}]/g, "\\$&");

/** The part below a key, as a snippet; lines after the first are indented below the key. */
const PARTS: Readonly<Record<string, string>> = {
  linkup: "\n  worker_url: ${1:https://linkup.example.com}",
  services:
    "\n  - name: ${1:web}\n    remote: ${2:https://web.example.com}\n    local: ${3:http://localhost:3000}",
  domains: "\n  - domain: ${1:example.com}\n    default_service: ${2:web}",
  routes: "\n  - path: ${1:^/api/.*}\n    service: ${2:api}",
  rewrites: "\n  - source: ${1:/foo/(.*)}\n    target: ${2:/bar/\\$1}",
  health: "\n  path: ${1:/healthz}",
  targets: "\n  ${1:staging}: ${2:https://web.staging.example.com}",
  defaults: "\n  target: ${1|auto,local,remote|}",
  statuses: " [${1:200}]",
  cache_routes: "\n  - ${1:^/static/.*}",
  overrides: "\n  - name: ${1:api-down}\n    service: ${2:api}\n    respond: { status: ${3:503} }",
  when: " { path: ${1:^/api/} }",
  respond: " { status: ${1:503} }",
  fault: " { delay_ms: ${1:2000} }",
};

function keys(model: DocumentModel, context: Context, info: KeyInfo): Offer[] {
  const { column, present, hasColon, path } = context;
  const missing = info.keys.filter((key) => !present.includes(key));
  const offers = missing.map((key) => ({ key, about: keyInfoAt([...path, key])! }));
  const sorted = [
    ...offers.filter(({ about }) => about.required),
    ...offers.filter(({ about }) => !about.required),
  ];
  const found = sorted.map(({ key, about }): Offer => {
    const part = column === undefined ? undefined : PARTS[key];
    const below = part?.replace(ENTER, `${eol(model.text)}${" ".repeat(column ?? 0)}`);
    const snippet = hasColon
      ? key
      : `${key}:${below ?? (about.kind === "list" && column === undefined ? " [$1]" : " ")}`;
    return {
      label: key,
      kind: "key",
      snippet,
      detail: about.required ? t("required") : t("optional"),
      documentation: keyText([...path, key]),
      ...(below || hasColon ? {} : { again: true }),
    };
  });
  // At the start of an item: the whole of it at once.
  const whole =
    present.length === 0 && path.at(-1) === 0 && !hasColon ? item(model, path, column) : undefined;
  return whole ? [whole, ...found] : found;
}

/** What an item of the list at the path is made of; lines after the first are indented by the item's column. */
const ITEMS: Readonly<Record<string, { label: string; part: string }>> = {
  services: {
    label: "service",
    part: "name: ${1:web}\nremote: ${2:https://$1.example.com}\nlocal: ${3:http://localhost:${4:3000}}",
  },
  domains: { label: "domain", part: "domain: ${1:example.com}\ndefault_service: ${2:web}" },
  routes: { label: "route", part: "path: ${1:^/api/.*}\nservice: ${2:api}" },
  overrides: {
    label: "override",
    part: "name: ${1:api-down}\nservice: ${2:api}\nrespond: { status: ${3:503} }",
  },
  rewrites: { label: "rewrite", part: "source: ${1:/foo/(.*)}\ntarget: ${2:/bar/\\$1}" },
};

function item(model: DocumentModel, path: Path, column: number | undefined): Offer | undefined {
  const found = ITEMS[String(path.at(-2))];
  if (!found) return undefined;
  const part = withServices(model, found.part);
  const snippet =
    column === undefined
      ? part.replace(ENTER, ", ")
      : part.replace(ENTER, `${eol(model.text)}${" ".repeat(column)}`);
  const documentation = keyText(path);
  return { label: found.label, kind: "snippet", snippet, detail: t("new {0}", found.label), documentation };
}

/** In a list, where no dash is yet or inside brackets. */
function items(model: DocumentModel, facts: EditorFacts, context: Context): Offer[] {
  const path = [...context.path, 0];
  const { column } = context;
  const about = keyInfoAt(path);
  if (about?.kind !== "map") {
    const found = about ? values(model, facts, { ...context, path }, about) : [];
    const dash = context.role === "item" ? "" : "- ";
    return found.map((offer) => ({ ...offer, snippet: dash + offer.snippet }));
  }
  const whole = item(model, path, column === undefined ? undefined : column + 2);
  if (!whole) return [];
  return [{ ...whole, snippet: column === undefined ? `{ ${whole.snippet} }` : `- ${whole.snippet}` }];
}

/** With the names of services that exist, to choose from, in the place of invented ones. */
function withServices({ outline }: DocumentModel, part: string): string {
  const names = outline.services.map(({ name }) => name.text).filter((name) => /^[\w-]+$/.test(name));
  if (names.length === 0) return part;
  const choice = names.slice(0, 30).join(",");
  return part.replace(/(service: )\$\{(\d):\w+\}/g, `$1\${$2|${choice}|}`);
}

function values(model: DocumentModel, facts: EditorFacts, context: Context, info: KeyInfo): Offer[] {
  const key = context.path.findLast((step) => typeof step === "string");
  const offers: Offer[] = [];
  const inFlow = context.column === undefined;
  const add = (label: string, detail: string, kind: Offer["kind"] = "value", documentation?: string) => {
    if (offers.some((offer) => offer.label === label)) return;
    const asIs = /^["[]/.test(label);
    const snippet = literal(asIs ? label : scalar(label, "plain", inFlow));
    offers.push({ label, kind, snippet, detail, ...(documentation ? { documentation } : {}) });
  };
  if (key === "default_service" || key === "service") {
    for (const { name, remote, local } of model.outline.services) {
      const detail = [remote?.text, local?.text].filter(Boolean).join(" · ");
      offers.push({
        label: name.text,
        kind: "service",
        snippet: literal(scalar(name.text, "plain", inFlow)),
        detail,
      });
    }
    return offers;
  }
  if (info.kind === "boolean") {
    for (const value of ["true", "false"]) add(value, value === String(info.default) ? t("default") : "");
    return offers;
  }
  if (key === "target" && context.path.at(-3) === "services") {
    const index = context.path.at(-2);
    const named = model.outline.services.find(({ path }) => path[1] === index)?.targets ?? [];
    for (const target of ["auto", "local", "remote"]) add(target, "");
    for (const { name, url } of named) add(name.text, url);
    return offers;
  }
  if (key === "target" && context.path[0] === "overrides") {
    const { services, overrides } = model.outline;
    const service = overrides.find(({ path }) => path[1] === context.path[1])?.service?.text;
    for (const target of ["local", "remote"]) add(target, "");
    for (const { name, targets } of services)
      if (service === undefined || service === name.text)
        for (const { name, url } of targets) add(name.text, url);
    return offers;
  }
  if (key === "local")
    for (const port of freePorts(model, facts))
      add(`http://localhost:${port}`, t("a program is listening there"));
  if (key === "domain" && context.path[0] === "overrides") {
    for (const { domain } of model.outline.domains) add(domain.text, "");
    return offers;
  }
  if (key === "domain")
    for (const { domain } of model.outline.domains) {
      if (!domain.text.includes(".")) continue;
      offers.push({
        label: `*.${domain.text}`,
        kind: "value",
        snippet: `\${1:api}.${literal(domain.text)}`,
        detail: t("below {0}", domain.text),
      });
    }
  const lists = info.kind === "list";
  for (const example of info.examples ?? []) {
    if (typeof example === "string") add(example, t("example"));
    else if (
      lists &&
      context.role === "value" &&
      (example as unknown[]).every((part) => typeof part !== "object")
    )
      add(JSON.stringify(example).replaceAll(",", ", "), t("example"));
  }
  return offers;
}

/** Ports on which something listens and which no service of the file has, the usual ones of development first. */
function freePorts({ outline }: DocumentModel, { listening }: EditorFacts): number[] {
  const used = new Set(outline.services.map(({ local }) => local && localPort(local.text)));
  const usual = (port: number) => (port >= 3000 && port < 10_000 ? 0 : 1);
  return [...(listening ?? [])]
    .filter((port) => port >= 1024 && !used.has(port))
    .sort((a, b) => usual(a) - usual(b) || a - b)
    .slice(0, 20);
}

function anchors({ tree }: DocumentModel, replace: Span): Completion[] {
  return tree.anchors.map((name, i) => {
    const order = String(i).padStart(4, "0");
    return {
      ...replace,
      label: `*${name}`,
      kind: "anchor",
      snippet: literal(`*${name}`),
      detail: t("anchor"),
      order,
    };
  });
}
