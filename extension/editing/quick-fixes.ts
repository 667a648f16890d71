/** Quick fixes for problems that have an obvious remedy. */
import * as vscode from "vscode";
import { parseConfig } from "../../core/config/config.ts";
import type { ConfigFiles } from "../config-files.ts";
import { t } from "../words.ts";
import { isConfig, toRange } from "./diagnostics.ts";

export function registerQuickFixes(context: vscode.ExtensionContext, configs: ConfigFiles): void {
  const provider: vscode.CodeActionProvider = {
    provideCodeActions: (document, range, { diagnostics }) =>
      isConfig(document, configs) ? quickFixes(document, range, diagnostics) : [],
  };
  const kinds = { providedCodeActionKinds: [vscode.CodeActionKind.QuickFix] };
  context.subscriptions.push(
    vscode.languages.registerCodeActionsProvider({ pattern: "**/*.{yaml,yml}" }, provider, kinds),
  );
}

function quickFixes(
  document: vscode.TextDocument,
  at: vscode.Range,
  shown: readonly vscode.Diagnostic[],
): vscode.CodeAction[] {
  return parseConfig(document.getText()).problems.flatMap(({ code, message, range, suggestion }) => {
    if (suggestion === undefined || !toRange(range).intersection(at)) return [];
    const fix = new vscode.CodeAction(t('Change to "{0}"', suggestion), vscode.CodeActionKind.QuickFix);
    fix.edit = new vscode.WorkspaceEdit();
    fix.edit.replace(document.uri, toRange(range), suggestion);
    fix.diagnostics = shown.filter(
      (diagnostic) => diagnostic.code === code && diagnostic.message === message,
    );
    fix.isPreferred = true;
    return [fix];
  });
}
