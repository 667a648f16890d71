/** The problems of linkup.yaml in the editor, at their exact positions. */
import * as vscode from "vscode";
import { parseConfig } from "../../core/config/config.ts";
import type { Range } from "../../core/config/positions.ts";
import type { ConfigProblem } from "../../core/config/problem.ts";
import type { ConfigFiles } from "../config-files.ts";

const TYPING_MS = 150;

export function registerDiagnostics(context: vscode.ExtensionContext, configs: ConfigFiles): void {
  const collection = vscode.languages.createDiagnosticCollection("linkup");
  const timers = new Map<string, NodeJS.Timeout>();
  const check = (document: vscode.TextDocument) => {
    if (isConfig(document, configs)) collection.set(document.uri, diagnostics(document));
  };
  const checkAll = () => {
    for (const document of vscode.workspace.textDocuments) check(document);
  };
  const checkSoon = (document: vscode.TextDocument) => {
    const key = document.uri.toString();
    clearTimeout(timers.get(key));
    timers.set(
      key,
      setTimeout(() => {
        timers.delete(key);
        if (!document.isClosed) check(document);
      }, TYPING_MS),
    );
  };
  context.subscriptions.push(
    collection,
    vscode.workspace.onDidOpenTextDocument(check),
    vscode.workspace.onDidChangeTextDocument(({ document }) => checkSoon(document)),
    vscode.workspace.onDidCloseTextDocument(({ uri }) => collection.delete(uri)),
    configs.onDidChange(checkAll),
    { dispose: () => timers.forEach(clearTimeout) },
  );
  checkAll();
}

/** Files of that name anywhere, and those that the setting names. */
export function isConfig(document: vscode.TextDocument, configs: ConfigFiles): boolean {
  return (
    /(^|\/)linkup\.ya?ml$/.test(document.uri.path) ||
    configs.files.some(({ path }) => path === document.uri.fsPath)
  );
}

function diagnostics(document: vscode.TextDocument): vscode.Diagnostic[] {
  return parseConfig(document.getText()).problems.map((problem) => diagnostic(document.uri, problem));
}

function diagnostic(uri: vscode.Uri, problem: ConfigProblem): vscode.Diagnostic {
  const severity = vscode.DiagnosticSeverity[problem.severity === "error" ? "Error" : "Warning"];
  const result = new vscode.Diagnostic(toRange(problem.range), problem.message, severity);
  result.source = "linkup";
  result.code = problem.code;
  if (problem.related) {
    const location = new vscode.Location(uri, toRange(problem.related.range));
    result.relatedInformation = [new vscode.DiagnosticRelatedInformation(location, problem.related.message)];
  }
  return result;
}

export function toRange({ start, end }: Range): vscode.Range {
  return new vscode.Range(start.line, start.column, end.line, end.column);
}
