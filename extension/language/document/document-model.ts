/** The parsed model of one version of a linkup.yaml, shared by all editor features. */
import { type ParsedConfig, parseConfig } from "../../../core/config/parse-config.ts";
import type { YamlTree } from "../../../core/config/yaml/yaml-tree.ts";
import { type Outline, outlineOf } from "./outline.ts";

/** A part of the text, in UTF-16 units. */
export interface Span {
  start: number;
  end: number;
}

export interface TextEdit extends Span {
  text: string;
}

export interface DocumentModel {
  text: string;
  parsed: ParsedConfig;
  tree: YamlTree;
  outline: Outline;
}

/** Incremental when given the model before the edit. */
export function modelOf(text: string, previous?: DocumentModel): DocumentModel {
  const parsed = parseConfig(text, previous?.parsed);
  const { tree } = parsed.positions;
  return { text, parsed, tree, outline: outlineOf(tree) };
}

/** Caches the model of each open document's latest version. */
export class DocumentModels {
  readonly #models = new Map<string, { version: number; model: DocumentModel }>();

  get(document: { key: string; version: number; text(): string }): DocumentModel {
    const known = this.#models.get(document.key);
    if (known?.version === document.version) return known.model;
    const model = modelOf(document.text(), known?.model);
    this.#models.set(document.key, { version: document.version, model });
    return model;
  }

  forget(key: string): void {
    this.#models.delete(key);
  }
}
