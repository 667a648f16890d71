/** linkup.yaml in the editor. */
import * as vscode from "vscode";
import type { Linkup } from "../../linkup.ts";
import { translateWith } from "../../words.ts";
import { CODES, type Code, PROBLEMS_PAGE } from "../features/diagnostics.ts";
import { registerActions } from "./actions.ts";
import { ConfigDocuments } from "./config-documents.ts";
import { LiveFacts } from "./live-facts.ts";
import { registerProviders } from "./providers.ts";
import { registerDiagnostics } from "./publish-diagnostics.ts";
import { RouteBench } from "./route-tester.ts";

/** @returns what the command "Test Route" does */
export function registerLanguage(context: vscode.ExtensionContext, linkup: Linkup): () => Promise<void> {
  // This bundle has its own copy of words.ts.
  translateWith(vscode.l10n.t);
  const documents = new ConfigDocuments(linkup.configs);
  const facts = new LiveFacts(linkup, documents);
  const bench = new RouteBench(documents, facts);
  const page = vscode.Uri.joinPath(context.extensionUri, PROBLEMS_PAGE);
  const lines = new Map<Code, number>();
  registerDiagnostics(context, documents, facts, linkup.configs, (code) =>
    page.with({ fragment: lines.has(code) ? `L${lines.get(code)}` : code }),
  );
  void headings(page).then(
    (found) => {
      for (const [code, line] of found) lines.set(code, line);
    },
    (error: Error) => linkup.log.error(error),
  );
  context.subscriptions.push(
    facts,
    bench,
    ...registerProviders(documents, facts),
    ...registerActions(documents, facts, context.secrets),
  );
  return () =>
    bench.ask(async () => {
      await linkup.configs.ready();
      return linkup.configs.files[0]?.path;
    });
}

/** For each code, the 1-based line of the page that explains it. */
async function headings(page: vscode.Uri): Promise<Map<Code, number>> {
  const text = new TextDecoder().decode(await vscode.workspace.fs.readFile(page));
  const lines = text.split("\n");
  return new Map(CODES.map((code) => [code, lines.indexOf(`### ${code}`) + 1]));
}
