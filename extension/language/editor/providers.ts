/** Adapters from VS Code's providers to the features: they convert positions and results. */
import * as vscode from "vscode";
import type { DocumentModel } from "../document/document-model.ts";
import { type Completion, completions } from "../features/completion.ts";
import { hover } from "../features/hover.ts";
import { definition, references, rename, renameable } from "../features/navigation.ts";
import { folds, type OutlineSymbol, symbols } from "../features/structure.ts";
import { type ConfigDocuments, SELECTOR, toRange } from "./config-documents.ts";
import type { LiveFacts } from "./live-facts.ts";

export function registerProviders(documents: ConfigDocuments, facts: LiveFacts): vscode.Disposable[] {
  const { languages } = vscode;
  /** Calls back with the model if the document is a linkup.yaml. */
  const modelOf = (document: vscode.TextDocument) =>
    documents.has(document) ? documents.model(document) : undefined;
  /** The same, with the offset of a position. */
  const at = <T>(
    document: vscode.TextDocument,
    position: vscode.Position,
    ask: (model: DocumentModel, offset: number) => T | undefined,
  ): T | undefined => {
    const model = modelOf(document);
    return model && ask(model, document.offsetAt(position));
  };

  return [
    languages.registerCompletionItemProvider(
      SELECTOR,
      {
        provideCompletionItems: (document, position) =>
          at(document, position, (model, offset) =>
            completions(model, facts.of(document), offset).map((found) =>
              completionItem(model, offset, found),
            ),
          ),
      },
      " ",
      "*",
      "{",
    ),
    languages.registerHoverProvider(SELECTOR, {
      provideHover: (document, position) =>
        at(document, position, (model, offset) => {
          const found = hover(model, facts.of(document), offset);
          return found && new vscode.Hover(new vscode.MarkdownString(found.markdown), toRange(model, found));
        }),
    }),
    languages.registerDefinitionProvider(SELECTOR, {
      provideDefinition: (document, position) =>
        at(document, position, (model, offset) => {
          const found = definition(model, offset);
          return found?.to.map((target): vscode.LocationLink => {
            const targetRange = toRange(model, target);
            return { originSelectionRange: toRange(model, found.from), targetUri: document.uri, targetRange };
          });
        }),
    }),
    languages.registerReferenceProvider(SELECTOR, {
      provideReferences: (document, position, { includeDeclaration }) =>
        at(document, position, (model, offset) =>
          references(model, offset, includeDeclaration).map(
            (found) => new vscode.Location(document.uri, toRange(model, found)),
          ),
        ),
    }),
    languages.registerDocumentHighlightProvider(SELECTOR, {
      provideDocumentHighlights: (document, position) =>
        at(document, position, (model, offset) =>
          references(model, offset, true).map((found) => new vscode.DocumentHighlight(toRange(model, found))),
        ),
    }),
    languages.registerRenameProvider(SELECTOR, {
      prepareRename: (document, position) =>
        at(document, position, (model, offset) => {
          const found = renameable(model, offset);
          // VS Code shows the message of the error.
          if (!found) throw new Error(refusal(model, offset));
          return { range: toRange(model, found), placeholder: found.name };
        }),
      provideRenameEdits: (document, position, name) =>
        at(document, position, (model, offset) => {
          const edits = rename(model, offset, name);
          if (!Array.isArray(edits)) throw new Error(edits.refused);
          const result = new vscode.WorkspaceEdit();
          for (const edit of edits) result.replace(document.uri, toRange(model, edit), edit.text);
          return result;
        }),
    }),
    languages.registerDocumentSymbolProvider(SELECTOR, {
      provideDocumentSymbols: (document) => {
        const model = modelOf(document);
        return model && symbols(model).map((found) => documentSymbol(model, found));
      },
    }),
    languages.registerFoldingRangeProvider(SELECTOR, {
      provideFoldingRanges: (document) => {
        const model = modelOf(document);
        return (
          model && folds(model).map(({ startLine, endLine, kind }) => foldingRange(startLine, endLine, kind))
        );
      },
    }),
  ];
}

const refusal = (model: DocumentModel, offset: number) =>
  (rename(model, offset, "name") as { refused: string }).refused;

const COMPLETION_KINDS: Record<Completion["kind"], vscode.CompletionItemKind> = {
  key: vscode.CompletionItemKind.Property,
  service: vscode.CompletionItemKind.Reference,
  value: vscode.CompletionItemKind.Value,
  snippet: vscode.CompletionItemKind.Snippet,
  anchor: vscode.CompletionItemKind.Variable,
};

function completionItem(model: DocumentModel, offset: number, found: Completion): vscode.CompletionItem {
  const item = new vscode.CompletionItem(found.label, COMPLETION_KINDS[found.kind]);
  item.range = {
    inserting: toRange(model, { start: found.start, end: offset }),
    replacing: toRange(model, found),
  };
  item.insertText = new vscode.SnippetString(found.snippet);
  // The snippet has the indentation of its lines.
  item.keepWhitespace = true;
  item.sortText = found.order;
  if (found.detail) item.detail = found.detail;
  if (found.documentation) item.documentation = new vscode.MarkdownString(found.documentation);
  if (found.again) item.command = { command: "editor.action.triggerSuggest", title: "" };
  return item;
}

const SYMBOL_KINDS: Record<OutlineSymbol["kind"], vscode.SymbolKind> = {
  section: vscode.SymbolKind.Namespace,
  service: vscode.SymbolKind.Class,
  domain: vscode.SymbolKind.Module,
  route: vscode.SymbolKind.Method,
  rewrite: vscode.SymbolKind.Operator,
  value: vscode.SymbolKind.Property,
};

function documentSymbol(model: DocumentModel, symbol: OutlineSymbol): vscode.DocumentSymbol {
  const { name, detail, kind, selection, children } = symbol;
  const [range, selected] = [toRange(model, symbol), toRange(model, selection)];
  const result = new vscode.DocumentSymbol(name, detail, SYMBOL_KINDS[kind], range, selected);
  result.children = children.map((child) => documentSymbol(model, child));
  return result;
}

function foldingRange(start: number, end: number, kind: "region" | "comment"): vscode.FoldingRange {
  return kind === "comment"
    ? new vscode.FoldingRange(start, end, vscode.FoldingRangeKind.Comment)
    : new vscode.FoldingRange(start, end);
}
