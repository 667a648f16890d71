/** The documents that are a linkup.yaml, and their models. */
import * as vscode from "vscode";
import type { ConfigFiles } from "../../config-files.ts";
import { type DocumentModel, DocumentModels, type Span } from "../document/document-model.ts";

/** Matches all YAML; `has` decides whether a document is a linkup.yaml. */
export const SELECTOR: vscode.DocumentSelector = [{ language: "yaml" }, { pattern: "**/linkup.{yaml,yml}" }];

export class ConfigDocuments {
  readonly #configs: ConfigFiles;
  readonly #models = new DocumentModels();

  constructor(configs: ConfigFiles) {
    this.#configs = configs;
  }

  /** True for files named linkup.yaml in any folder, saved or not, and for those named by the setting; false for versions in git's history. */
  has({ uri }: vscode.TextDocument): boolean {
    if (uri.scheme === "git") return false;
    return (
      /(^|\/)linkup\.ya?ml$/.test(uri.path) || this.#configs.files.some(({ path }) => path === uri.fsPath)
    );
  }

  /** The model of the current text, parsed once per version. */
  model(document: vscode.TextDocument): DocumentModel {
    const { uri, version } = document;
    return this.#models.get({ key: uri.toString(), version, text: () => document.getText() });
  }

  forget({ uri }: vscode.TextDocument): void {
    this.#models.forget(uri.toString());
  }
}

export function toRange({ parsed: { positions } }: DocumentModel, { start, end }: Span): vscode.Range {
  const from = positions.position(start);
  const to = positions.position(end);
  return new vscode.Range(from.line, from.column, to.line, to.column);
}
