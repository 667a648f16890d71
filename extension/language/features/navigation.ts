/** Definition, references and rename of services, and of the further targets of services. */
import { isTargetName } from "../../../core/config/model/target.ts";
import type { ScalarNode } from "../../../core/config/yaml/yaml-node.ts";
import { t } from "../../words.ts";
import type { DocumentModel, Span, TextEdit } from "../document/document-model.ts";
import { replaceScalar } from "../document/edits.ts";
import { nodeAt } from "../document/node-at.ts";
import { type Names, serviceNames, targetNames } from "../document/outline.ts";

interface Named {
  is: "service" | "target";
  name: string;
  node: Span;
  names: Names;
}

/** The service or target whose name is at the offset. */
function named(model: DocumentModel, offset: number): Named | undefined {
  const kinds = [
    { is: "service", names: serviceNames(model.outline) },
    { is: "target", names: targetNames(model.outline) },
  ] as const;
  const places = kinds.flatMap((kind) =>
    [...kind.names.definitions, ...kind.names.references].map((written) => ({ ...kind, written })),
  );
  const found = places.find(({ written: { node } }) => node.start <= offset && offset <= node.end);
  if (found) return { ...found, name: found.written.text, node: found.written.node };
  // An alias of a name.
  const spot = nodeAt(model.tree, offset);
  const target = spot && !spot.isKey ? model.tree.resolved(spot.node) : undefined;
  const aliased = places.find(({ written: { node } }) => node === target);
  return aliased && spot ? { ...aliased, name: aliased.written.text, node: spot.node } : undefined;
}

/** The definition of the service or target at the offset, or the anchor of the alias. */
export function definition(model: DocumentModel, offset: number): { from: Span; to: Span[] } | undefined {
  const found = named(model, offset);
  if (found) {
    const to = found.names.definitions.filter(({ text }) => text === found.name);
    if (to.length > 0) return { from: span(found.node), to: to.map(({ node }) => span(node)) };
  }
  const alias = nodeAt(model.tree, offset)?.node;
  const target = alias?.kind === "alias" ? model.tree.target(alias) : undefined;
  return alias && target ? { from: span(alias), to: [span(target)] } : undefined;
}

export function references(model: DocumentModel, offset: number, withDefinition: boolean): Span[] {
  const found = named(model, offset);
  if (!found) return [];
  const { definitions, references } = found.names;
  return [...(withDefinition ? definitions : []), ...references]
    .filter(({ text }) => text === found.name)
    .map(({ node }) => span(node))
    .sort((a, b) => a.start - b.start);
}

/** The range that a rename would replace; undefined where there is no such name. */
export function renameable(model: DocumentModel, offset: number): (Span & { name: string }) | undefined {
  const found = named(model, offset);
  return found && { ...span(found.node), name: found.name };
}

/** The edits that give the service or target another name, or why that is not possible. */
export function rename(model: DocumentModel, offset: number, to: string): TextEdit[] | { refused: string } {
  const found = named(model, offset);
  if (!found) return { refused: t("No service name here.") };
  const name = to.trim();
  if (name === found.name) return [];
  const refused = refusal(found, name);
  if (refused !== undefined) return { refused };
  const { definitions, references } = found.names;
  const nodes = [...definitions, ...references]
    .filter(({ text }) => text === found.name)
    .map(({ node }) => node);
  return nodes.map((node: ScalarNode) => replaceScalar(model.tree, node, name));
}

/** Why it cannot have this name. */
function refusal({ is, names: { definitions } }: Named, name: string): string | undefined {
  const isTaken = definitions.some(({ text }) => text === name);
  if (is === "target") {
    if (isTaken) return t('A target named "{0}" already exists.', name);
    return isTargetName(name)
      ? undefined
      : t(
          '"{0}" cannot name a target: use letters, digits, "-", "_" and ".", and neither local, remote, auto nor session.',
          name,
        );
  }
  if (name === "") return t("A service needs a name.");
  if (/[\r\n]/.test(name)) return t("A service name must be on a single line.");
  return isTaken ? t('A service named "{0}" already exists.', name) : undefined;
}

const span = ({ start, end }: Span): Span => ({ start, end });
