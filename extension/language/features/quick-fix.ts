/** A quick fix, and what its makers share. */
import type { Path, ScalarNode } from "../../../core/config/yaml/yaml-node.ts";
import type { DocumentModel, TextEdit } from "../document/document-model.ts";
import { localPort } from "../document/editor-facts.ts";

export interface QuickFix {
  title: string;
  edits: TextEdit[];
  /** A service to be routed to remote; there is nothing to edit then. */
  toRemote?: string;
  /** The token that the edits take away goes to secret storage first. */
  keepsToken?: true;
}

export function scalarAt({ tree }: DocumentModel, path: Path): ScalarNode | undefined {
  const node = tree.resolved(tree.node(path));
  return node?.kind === "scalar" ? node : undefined;
}

/** The first port that no service of the file has. */
export function freePort({ outline }: DocumentModel, from: number): number {
  const used = new Set(outline.services.map(({ local }) => local && localPort(local.text)));
  let port = from;
  while (used.has(port) && port < 65_535) port++;
  return port;
}
