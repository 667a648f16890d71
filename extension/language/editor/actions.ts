/** Code lenses above services, and quick fixes. */
import * as vscode from "vscode";
import { type Command, commandId, SWITCH_OVERRIDE } from "../../ids.ts";
import { setting, settingChanged } from "../../settings.ts";
import { t } from "../../words.ts";
import { storeToken } from "../../worker-token-storage.ts";
import type { DocumentModel, TextEdit } from "../document/document-model.ts";
import type { EditorFacts } from "../document/editor-facts.ts";
import { documentDiagnostics } from "../features/diagnostics.ts";
import { lenses } from "../features/lenses.ts";
import { fixAll, fixes } from "../features/quick-fixes.ts";
import { type ConfigDocuments, SELECTOR, toRange } from "./config-documents.ts";
import type { LiveFacts } from "./live-facts.ts";

export function registerActions(
  documents: ConfigDocuments,
  facts: LiveFacts,
  secrets: vscode.SecretStorage,
): vscode.Disposable[] {
  const lensesChanged = new vscode.EventEmitter<void>();
  const lensProvider: vscode.CodeLensProvider = {
    onDidChangeCodeLenses: lensesChanged.event,
    provideCodeLenses: (document) => {
      if (!documents.has(document) || !setting("codeLens", document.uri)) return [];
      const model = documents.model(document);
      const now = facts.of(document);
      return lenses(model, now).map(({ title, tooltip, route, override, ...span }) => {
        const command = route
          ? serviceCommand(now, ROUTE_COMMANDS[route.target], route.service)
          : override === undefined
            ? undefined
            : overrideCommand(now, override);
        return new vscode.CodeLens(toRange(model, span), { command: "", ...command, title, tooltip });
      });
    },
  };
  const fixProvider: vscode.CodeActionProvider = {
    provideCodeActions: (document, range, { diagnostics, only }) => {
      if (!documents.has(document)) return [];
      const wants = (kind: vscode.CodeActionKind) => !only || only.contains(kind);
      return [
        ...(wants(vscode.CodeActionKind.QuickFix)
          ? quickFixes(document, documents, facts.of(document), range, diagnostics)
          : []),
        ...(only && wants(FIX_ALL) ? fixAllActions(document, documents, facts.of(document)) : []),
      ];
    },
  };
  return [
    lensesChanged,
    facts.onDidChange(() => lensesChanged.fire()),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (settingChanged(event, "codeLens")) lensesChanged.fire();
    }),
    vscode.commands.registerCommand(MOVE_TOKEN, (uri: vscode.Uri) =>
      moveToken(uri, documents, facts, secrets),
    ),
    vscode.languages.registerCodeLensProvider(SELECTOR, lensProvider),
    vscode.languages.registerCodeActionsProvider(SELECTOR, fixProvider, {
      providedCodeActionKinds: [vscode.CodeActionKind.QuickFix, FIX_ALL],
    }),
  ];
}

const ROUTE_COMMANDS = { local: "routeToLocal", remote: "routeToRemote", other: "routeServiceTo" } as const;

/** A command of the Sessions view with a service as its argument, as if called from its row. */
function serviceCommand(
  { session }: EditorFacts,
  command: Command,
  name: string,
): vscode.Command | undefined {
  const service = session?.services.find((service) => service.name === name);
  if (!session || !service) return undefined;
  return {
    command: commandId(command),
    title: "",
    arguments: [{ subject: { is: "service", session, service } }],
  };
}

/** Switches the override of this name, as its checkbox does. */
function overrideCommand({ session }: EditorFacts, name: string): vscode.Command | undefined {
  const override = session?.overrides?.find((override) => override.name === name);
  return override && { command: SWITCH_OVERRIDE, title: "", arguments: [session, override] };
}

function workspaceEdit(
  document: vscode.TextDocument,
  model: DocumentModel,
  edits: TextEdit[],
): vscode.WorkspaceEdit {
  const result = new vscode.WorkspaceEdit();
  for (const edit of edits) result.replace(document.uri, toRange(model, edit), edit.text);
  return result;
}

/** Internal command of the quick fix. The token is not an argument, because arguments may be logged. */
const MOVE_TOKEN = "linkup.moveToken";

/** Stores the token of the file, then removes it from the file. */
async function moveToken(
  uri: vscode.Uri,
  documents: ConfigDocuments,
  facts: LiveFacts,
  secrets: vscode.SecretStorage,
): Promise<void> {
  const document = await vscode.workspace.openTextDocument(uri);
  const model = documents.model(document);
  const now = facts.of(document);
  const finding = documentDiagnostics(model, now).find(({ code }) => code === "token-in-file");
  const fix = finding && fixes(model, finding, now).find(({ keepsToken }) => keepsToken);
  const text = (key: string) => {
    const node = model.tree.resolved(model.tree.node(["linkup", key]));
    return node?.kind === "scalar" && typeof node.value === "string" ? node.value : undefined;
  };
  const [token, workerUrl] = [text("worker_token"), text("worker_url")];
  if (!fix || !token || !workerUrl) return;
  await storeToken(secrets, workerUrl, token);
  await vscode.workspace.applyEdit(workspaceEdit(document, model, fix.edits));
}

/** Also run on save, where the user has set `editor.codeActionsOnSave`. */
const FIX_ALL = vscode.CodeActionKind.SourceFixAll.append("linkup");

function fixAllActions(
  document: vscode.TextDocument,
  documents: ConfigDocuments,
  facts: EditorFacts,
): vscode.CodeAction[] {
  const model = documents.model(document);
  const edits = fixAll(model, facts);
  if (edits.length === 0) return [];
  const action = new vscode.CodeAction(t("Fix all problems with a clear fix"), FIX_ALL);
  action.edit = workspaceEdit(document, model, edits);
  return [action];
}

function quickFixes(
  document: vscode.TextDocument,
  documents: ConfigDocuments,
  facts: EditorFacts,
  at: vscode.Range,
  shown: readonly vscode.Diagnostic[],
): vscode.CodeAction[] {
  const model = documents.model(document);
  return documentDiagnostics(model, facts).flatMap((finding) => {
    const range = toRange(model, finding);
    if (!range.intersection(at)) return [];
    const its = shown.filter(
      ({ message, range: place }) => message === finding.message && place.isEqual(range),
    );
    return fixes(model, finding, facts).map(({ title, edits, toRemote, keepsToken }, i) => {
      const action = new vscode.CodeAction(title, vscode.CodeActionKind.QuickFix);
      action.diagnostics = its;
      action.isPreferred = i === 0 && edits.length > 0;
      const called = toRemote === undefined ? undefined : serviceCommand(facts, "routeToRemote", toRemote);
      if (called) action.command = { ...called, title };
      else if (keepsToken) action.command = { command: MOVE_TOKEN, title, arguments: [document.uri] };
      else action.edit = workspaceEdit(document, model, edits);
      return action;
    });
  });
}
