/** Quick fixes for diagnostics, as text edits. */
import type { MapNode, YamlNode } from "../../../core/config/yaml/yaml-node.ts";
import { compile } from "../../../core/regex/pattern.ts";
import { isHttpUrl } from "../../../core/session/session-document.ts";
import { t } from "../../words.ts";
import type { DocumentModel, TextEdit } from "../document/document-model.ts";
import { type EditorFacts, localPort } from "../document/editor-facts.ts";
import { removePair, replaceScalar, scalar } from "../document/edits.ts";
import { type DocumentDiagnostic, documentDiagnostics } from "./diagnostics.ts";
import { addService, removeItem, unreachableRoute } from "./item-fixes.ts";
import {
  backtrackingFixes,
  dialectFixes,
  groupFixes,
  invalidPatternFixes,
  type TextFix,
} from "./pattern-fixes.ts";
import { freePort, type QuickFix, scalarAt } from "./quick-fix.ts";
import { missingKey, wrongValue } from "./value-fixes.ts";

type Remedy = (model: DocumentModel, finding: DocumentDiagnostic, facts: EditorFacts) => QuickFix[];

/** The most likely one first. */
export function fixes(model: DocumentModel, finding: DocumentDiagnostic, facts: EditorFacts): QuickFix[] {
  return REMEDIES[finding.code](model, finding, facts);
}

/**
 * The edits of "fix all": of every error and warning the most likely fix, where it is an edit and overlaps no earlier one.
 * Fixes that remove something are left to the user.
 */
export function fixAll(model: DocumentModel, facts: EditorFacts): TextEdit[] {
  const edits: TextEdit[] = [];
  for (const finding of documentDiagnostics(model, facts)) {
    if (finding.severity === "hint") continue;
    const [fix] = fixes(model, finding, facts);
    if (!fix || fix.keepsToken || fix.edits.length === 0) continue;
    const removes = fix.edits.some(({ start, end, text }) => text === "" && end > start);
    const overlaps = fix.edits.some(({ start, end }) =>
      edits.some((other) => start <= other.end && other.start <= end),
    );
    if (!removes && !overlaps) edits.push(...fix.edits);
  }
  return edits;
}

/** Puts the finding's own suggestion in its place. */
const suggested: Remedy = (model, { start, end, suggestion, path }) => {
  if (suggestion === undefined) return [];
  const node = model.tree.resolved(model.tree.node(path));
  const whole = path.length > 0 && node?.kind === "scalar" && node.start === start;
  const text = whole ? scalar(suggestion, node.style) : suggestion;
  return [{ title: t('Change to "{0}"', suggestion.trim()), edits: [{ start, end, text }] }];
};

const REMEDIES: Readonly<Record<DocumentDiagnostic["code"], Remedy>> = {
  "more-problems": () => [],
  "too-many-patterns": () => [],
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
  "unknown-service": (model, finding, facts) => [
    ...suggested(model, finding, facts),
    ...addService(model, finding),
  ],
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
  "duplicate-override": (model, { path }) => removeItem(model, path),
  "unknown-domain": (model, { path }) => {
    const node = scalarAt(model, path);
    return !node
      ? []
      : model.outline.domains.slice(0, 10).map(({ domain }) => ({
          title: t('Change to "{0}"', domain.text),
          edits: [replaceScalar(model.tree, node, domain.text)],
        }));
  },
  "invalid-override": () => [],
  "shadowed-override": () => [],
  "missing-file": () => [],
  "same-location": (model, { path }) => {
    const node = scalarAt(model, path);
    const location = `http://localhost:${freePort(model, 3000)}`;
    return node
      ? [{ title: t('Change to "{0}"', location), edits: [replaceScalar(model.tree, node, location)] }]
      : [];
  },
  "ignored-url-part": suggested,
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
        title: t("Use port {0}, which no other service uses", String(free)),
        edits: [replaceScalar(model.tree, node, location)],
      },
    ];
  },
  "token-variable": suggested,
  "nothing-listens": ({ outline }, { path }, { session }) => {
    const service = outline.services.find((service) => service.path[1] === path[1])?.name.text;
    const view = session?.services.find(({ name }) => name === service);
    if (service === undefined || view?.target !== "local") return [];
    return [{ title: t("Route {0} to remote", service), edits: [], toRemote: service }];
  },
  "token-in-file": (model, { path }) => {
    const node = scalarAt(model, path);
    const map = model.tree.resolved(model.tree.node(path.slice(0, -1)));
    if (!node || map?.kind !== "map") return [];
    const index = map.pairs.findIndex(({ key }) => key.value === "worker_token");
    const own: QuickFix[] = [
      {
        title: t("Read it from the variable LINKUP_WORKER_TOKEN"),
        edits: [replaceScalar(model.tree, node, "${env:LINKUP_WORKER_TOKEN}")],
      },
    ];
    // The storage keeps one for each Worker.
    const workerUrl = scalarAt(model, ["linkup", "worker_url"])?.value;
    if (index === -1 || typeof workerUrl !== "string" || !isHttpUrl(workerUrl)) return own;
    const edits = [removePair(model.text, map, index)];
    return [...own, { title: t("Move it to the editor's secret storage"), edits, keepsToken: true }];
  },
};

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
  model: DocumentModel,
  { path, start, end }: DocumentDiagnostic,
  find: (text: string, start: number, end: number) => TextFix[],
): QuickFix[] {
  const node = scalarAt(model, path);
  if (typeof node?.value !== "string" || node.style === "block") return [];
  const begin = node.start + (node.style === "plain" ? 0 : 1);
  if (model.text.slice(begin, begin + node.value.length) !== node.value) return [];
  return find(node.value, start - begin, end - begin).map(({ title, text }) => ({
    title,
    edits: [replaceScalar(model.tree, node, text)],
  }));
}
