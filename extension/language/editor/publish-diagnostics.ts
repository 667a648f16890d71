/** Diagnostics in the editor and in the Problems panel: of the open files as they are typed, of the workspace's others as they are on disk. */
import * as vscode from "vscode";
import type { ConfigFiles } from "../../config-files.ts";
import { type DocumentModel, modelOf } from "../document/document-model.ts";
import { type Code, type DocumentDiagnostic, documentDiagnostics } from "../features/diagnostics.ts";
import { type ConfigDocuments, toRange } from "./config-documents.ts";
import type { LiveFacts } from "./live-facts.ts";

/** The page that explains a code. */
type Explanations = (code: Code) => vscode.Uri | undefined;

export function registerDiagnostics(
  context: vscode.ExtensionContext,
  documents: ConfigDocuments,
  facts: LiveFacts,
  configs: ConfigFiles,
  explanations: Explanations,
): void {
  const collection = vscode.languages.createDiagnosticCollection("linkup");
  const waiting = new Map<vscode.TextDocument, NodeJS.Immediate>();
  const check = (document: vscode.TextDocument) => {
    waiting.delete(document);
    if (document.isClosed) return;
    const model = documents.model(document);
    publish(document.uri, model, documentDiagnostics(model, facts.of(document)));
  };
  const publish = (uri: vscode.Uri, model: DocumentModel, found: DocumentDiagnostic[]) =>
    collection.set(
      uri,
      found.map((finding) => diagnostic(uri, model, finding, explanations)),
    );
  /** Coalesces changes of one tick. */
  const checkSoon = (document: vscode.TextDocument) => {
    // The setting may no longer name this file.
    if (!documents.has(document)) collection.delete(document.uri);
    else if (!waiting.has(document)) waiting.set(document, setImmediate(check, document));
  };
  const isOpen = (uri: vscode.Uri) =>
    vscode.workspace.textDocuments.some((document) => document.uri.toString() === uri.toString());
  /** Checks a file that is not open. Port hints are left out: they matter while the file is being read. */
  const checkOnDisk = async (path: string) => {
    const uri = vscode.Uri.file(path);
    if (isOpen(uri)) return;
    const bytes = await vscode.workspace.fs.readFile(uri);
    // It may have been opened meanwhile.
    if (isOpen(uri)) return;
    const model = modelOf(new TextDecoder().decode(bytes));
    publish(uri, model, documentDiagnostics(model, { ...facts.of({ uri }), listening: undefined }));
  };
  const checkFile = (path: string) =>
    void checkOnDisk(path).catch(() => collection.delete(vscode.Uri.file(path)));
  let known: string[] = [];
  const checkFiles = () => {
    const paths = configs.files.map(({ path }) => path);
    for (const path of known) {
      const uri = vscode.Uri.file(path);
      if (!paths.includes(path) && !isOpen(uri)) collection.delete(uri);
    }
    known = paths;
    paths.forEach(checkFile);
  };
  const checkAll = () => vscode.workspace.textDocuments.forEach(checkSoon);
  context.subscriptions.push(
    collection,
    vscode.workspace.onDidOpenTextDocument(checkSoon),
    vscode.workspace.onDidChangeTextDocument(({ document }) => checkSoon(document)),
    vscode.workspace.onDidCloseTextDocument((document) => {
      collection.delete(document.uri);
      documents.forget(document);
      if (known.includes(document.uri.fsPath)) checkFile(document.uri.fsPath);
    }),
    configs.onDidChange(checkFiles),
    configs.onDidSave(checkFile),
    facts.onDidChange(checkAll),
    { dispose: () => waiting.forEach(clearImmediate) },
  );
  checkAll();
  checkFiles();
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
