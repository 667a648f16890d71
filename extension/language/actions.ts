/** What can be clicked in a linkup.yaml: the lenses above services, and the quick fixes. */
import * as vscode from "vscode";
import { type Command, commandId } from "../ids.ts";
import { findings } from "./diagnostics.ts";
import { type ConfigDocuments, SELECTOR, toRange } from "./documents.ts";
import type { Facts } from "./facts.ts";
import { fixes } from "./fixes.ts";
import { lenses } from "./lenses.ts";
import type { LiveFacts } from "./live-facts.ts";

export function registerActions(documents: ConfigDocuments, facts: LiveFacts): vscode.Disposable[] {
  const lensProvider: vscode.CodeLensProvider = {
    onDidChangeCodeLenses: facts.onDidChange,
    provideCodeLenses: (document) => {
      if (!documents.has(document)) return [];
      const model = documents.model(document);
      const now = facts.of(document);
      return lenses(model, now).map(({ title, tooltip, route, ...span }) => {
        const command = route
          ? serviceCommand(now, route.target === "local" ? "routeToLocal" : "routeToRemote", route.service)
          : undefined;
        return new vscode.CodeLens(toRange(model, span), { command: "", ...command, title, tooltip });
      });
    },
  };
  const fixProvider: vscode.CodeActionProvider = {
    provideCodeActions: (document, range, { diagnostics, only }) => {
      if (!documents.has(document) || (only && !only.contains(vscode.CodeActionKind.QuickFix))) return [];
      return quickFixes(document, documents, facts.of(document), range, diagnostics);
    },
  };
  return [
    vscode.languages.registerCodeLensProvider(SELECTOR, lensProvider),
    vscode.languages.registerCodeActionsProvider(SELECTOR, fixProvider, {
      providedCodeActionKinds: [vscode.CodeActionKind.QuickFix],
    }),
  ];
}

/** A command of the Sessions view, called for a service as by its row. */
function serviceCommand({ session }: Facts, command: Command, name: string): vscode.Command | undefined {
  const service = session?.services.find((service) => service.name === name);
  if (!session || !service) return undefined;
  return {
    command: commandId(command),
    title: "",
    arguments: [{ subject: { is: "service", session, service } }],
  };
}

function quickFixes(
  document: vscode.TextDocument,
  documents: ConfigDocuments,
  facts: Facts,
  at: vscode.Range,
  shown: readonly vscode.Diagnostic[],
): vscode.CodeAction[] {
  const model = documents.model(document);
  return findings(model, facts).flatMap((finding) => {
    const range = toRange(model, finding);
    if (!range.intersection(at)) return [];
    const its = shown.filter(
      ({ message, range: place }) => message === finding.message && place.isEqual(range),
    );
    return fixes(model, finding, facts).map(({ title, edits, command }, i) => {
      const action = new vscode.CodeAction(title, vscode.CodeActionKind.QuickFix);
      action.diagnostics = its;
      action.isPreferred = i === 0 && edits.length > 0;
      if (edits.length > 0) {
        action.edit = new vscode.WorkspaceEdit();
        for (const edit of edits) action.edit.replace(document.uri, toRange(model, edit), edit.text);
      }
      if (command?.service !== undefined) {
        const called = serviceCommand(facts, command.command, command.service);
        if (called) action.command = { ...called, title };
      } else if (command) action.command = { command: commandId(command.command), title };
      return action;
    });
  });
}
