/** The documentDiagnostics of the open files, in the editor and in the Problems panel. */
import * as vscode from "vscode";
import type { DocumentModel } from "../document/document-model.ts";
import { type Code, type DocumentDiagnostic, documentDiagnostics } from "../features/diagnostics.ts";
import { type ConfigDocuments, toRange } from "./config-documents.ts";
import type { LiveFacts } from "./live-facts.ts";

/** Where a code is explained. */
type Explanations = (code: Code) => vscode.Uri | undefined;

export function registerDiagnostics(
  context: vscode.ExtensionContext,
  documents: ConfigDocuments,
  facts: LiveFacts,
  explanations: Explanations,
): void {
  const collection = vscode.languages.createDiagnosticCollection("linkup");
  const waiting = new Map<vscode.TextDocument, NodeJS.Immediate>();
  const check = (document: vscode.TextDocument) => {
    waiting.delete(document);
    if (document.isClosed) return;
    const model = documents.model(document);
    const found = documentDiagnostics(model, facts.of(document));
    collection.set(
      document.uri,
      found.map((finding) => diagnostic(document.uri, model, finding, explanations)),
    );
  };
  /** Several changes that come together are looked at once. */
  const checkSoon = (document: vscode.TextDocument) => {
    // The setting may have named it before.
    if (!documents.has(document)) collection.delete(document.uri);
    else if (!waiting.has(document)) waiting.set(document, setImmediate(check, document));
  };
  const checkAll = () => vscode.workspace.textDocuments.forEach(checkSoon);
  context.subscriptions.push(
    collection,
    vscode.workspace.onDidOpenTextDocument(checkSoon),
    vscode.workspace.onDidChangeTextDocument(({ document }) => checkSoon(document)),
    vscode.workspace.onDidCloseTextDocument((document) => {
      collection.delete(document.uri);
      documents.forget(document);
    }),
    facts.onDidChange(checkAll),
    { dispose: () => waiting.forEach(clearImmediate) },
  );
  checkAll();
}

const SEVERITIES = {
  error: vscode.DiagnosticSeverity.Error,
  warning: vscode.DiagnosticSeverity.Warning,
  hint: vscode.DiagnosticSeverity.Hint,
};

function diagnostic(
  uri: vscode.Uri,
  model: DocumentModel,
  finding: DocumentDiagnostic,
  explanations: Explanations,
): vscode.Diagnostic {
  const result = new vscode.Diagnostic(
    toRange(model, finding),
    finding.message,
    SEVERITIES[finding.severity],
  );
  result.source = "linkup";
  const target = explanations(finding.code);
  result.code = target ? { value: finding.code, target } : finding.code;
  if (finding.related) {
    const location = new vscode.Location(uri, toRange(model, finding.related));
    result.relatedInformation = [new vscode.DiagnosticRelatedInformation(location, finding.related.message)];
  }
  return result;
}
