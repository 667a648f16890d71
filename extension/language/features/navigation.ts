/** Definition, references and rename of services. */
import type { ScalarNode } from "../../../core/config/yaml/yaml-node.ts";
import { t } from "../../words.ts";
import type { DocumentModel, Span, TextEdit } from "../document/document-model.ts";
import { replaceScalar } from "../document/edits.ts";
import { nodeAt } from "../document/node-at.ts";
import { serviceNames, type Written } from "../document/outline.ts";

/** The service whose name is at the offset. */
function named(model: DocumentModel, offset: number): { name: string; node: Span } | undefined {
  const { definitions, references } = serviceNames(model.outline);
  const written = [...definitions, ...references].find(
    ({ node }) => node.start <= offset && offset <= node.end,
  );
  if (written) return { name: written.text, node: written.node };
  // An alias of a name.
  const spot = nodeAt(model.tree, offset);
  const target = spot && !spot.isKey ? model.tree.resolved(spot.node) : undefined;
  const aliased = [...definitions, ...references].find(({ node }) => node === target);
  return aliased && spot ? { name: aliased.text, node: spot.node } : undefined;
}

/** The definition of the service at the offset, or the anchor of the alias. */
export function definition(model: DocumentModel, offset: number): { from: Span; to: Span[] } | undefined {
  const found = named(model, offset);
  if (found) {
    const to = serviceNames(model.outline).definitions.filter(({ text }) => text === found.name);
    if (to.length > 0) return { from: span(found.node), to: to.map(({ node }) => span(node)) };
  }
  const alias = nodeAt(model.tree, offset)?.node;
  const target = alias?.kind === "alias" ? model.tree.target(alias) : undefined;
  return alias && target ? { from: span(alias), to: [span(target)] } : undefined;
}

export function references(model: DocumentModel, offset: number, withDefinition: boolean): Span[] {
  const found = named(model, offset);
  if (!found) return [];
  const names = serviceNames(model.outline);
  const all: Written[] = [...(withDefinition ? names.definitions : []), ...names.references];
  return all
    .filter(({ text }) => text === found.name)
    .map(({ node }) => span(node))
    .sort((a, b) => a.start - b.start);
}

/** The range that a rename would replace; undefined where there is no service name. */
export function renameable(model: DocumentModel, offset: number): (Span & { name: string }) | undefined {
  const found = named(model, offset);
  return found && { ...span(found.node), name: found.name };
}

/** The edits that give the service another name, or why that is not possible. */
export function rename(model: DocumentModel, offset: number, to: string): TextEdit[] | { refused: string } {
  const found = named(model, offset);
  if (!found) return { refused: t("No service name here.") };
  const name = to.trim();
  if (name === "") return { refused: t("A service needs a name.") };
  if (/[\r\n]/.test(name)) return { refused: t("A service's name is on one line.") };
  if (name === found.name) return [];
  const { definitions, references } = serviceNames(model.outline);
  if (definitions.some(({ text }) => text === name))
    return { refused: t('There is a service "{0}" already.', name) };
  const nodes = [...definitions, ...references]
    .filter(({ text }) => text === found.name)
    .map(({ node }) => node);
  return nodes.map((node: ScalarNode) => replaceScalar(model.tree, node, name));
}

const span = ({ start, end }: Span): Span => ({ start, end });
