/** Markdown that the extension writes for a person to read, shown as a page. */
import * as vscode from "vscode";

const SCHEME = "linkup";

export class Documents implements vscode.TextDocumentContentProvider, vscode.Disposable {
  readonly #texts = new Map<string, string>();
  readonly #registration = vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);
  #shown = 0;

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.#texts.get(uri.path) ?? "";
  }

  /** Shows the page of that title, in the place of the one before. */
  async show(title: string, markdown: string): Promise<void> {
    // Another address each time: VS Code keeps the text of one that was shown before.
    const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${title}.md`, query: String(++this.#shown) });
    this.#texts.set(uri.path, markdown);
    await vscode.commands.executeCommand("markdown.showPreview", uri);
  }

  dispose(): void {
    this.#registration.dispose();
  }
}
