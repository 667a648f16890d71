/** Remedies that add, remove or move an item of a list, with the comments above it. */
import type { Path } from "../../../core/config/yaml/yaml-node.ts";
import { t } from "../../words.ts";
import type { DocumentModel } from "../document/document-model.ts";
import { itemLines, scalar } from "../document/edits.ts";
import { columnOf, eol } from "../document/lines.ts";
import type { DocumentDiagnostic } from "./diagnostics.ts";
import { freePort, type QuickFix, scalarAt } from "./quick-fix.ts";

/** Behind the last service, with the indentation of the others. */
export function addService(model: DocumentModel, finding: DocumentDiagnostic): QuickFix[] {
  const node = scalarAt(model, finding.path);
  const list = model.tree.resolved(model.tree.node(["services"]));
  if (!node || list?.kind !== "seq" || list.flow || list.items.length === 0) return [];
  const last = list.items.at(-1)!;
  if (last.kind !== "map" || last.flow || last.pairs.length === 0) return [];
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
  const newline = eol(text);
  const indent = " ".repeat(Math.max(0, column - 2));
  const before = text[end - 1] === "\n" ? "" : newline;
  const added = before + lines.map((line) => indent + line + newline).join("");
  return [
    { title: t('Add the service "{0}"', String(node.value)), edits: [{ start: end, end, text: added }] },
  ];
}

/** Takes the item of a list that the path leads into out of the file, with the comment above it. */
export function removeItem({ tree, text }: DocumentModel, path: Path): QuickFix[] {
  const index = path.findLastIndex((step) => typeof step === "number");
  const list = tree.resolved(tree.node(path.slice(0, index)));
  const position = path[index] as number;
  if (list?.kind !== "seq" || list.items.length < 2) return [];
  const item = list.items[position]!;
  const title = t(
    "Remove this {0}",
    path[index - 1] === "domains"
      ? t("domain")
      : path[index - 1] === "routes"
        ? t("route")
        : path[index - 1] === "overrides"
          ? t("override")
          : t("service"),
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
export function unreachableRoute(model: DocumentModel, finding: DocumentDiagnostic): QuickFix[] {
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
  const title = t("Move it before the route that shadows it");
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
  if (!moved.endsWith("\n")) moved += eol(text);
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
