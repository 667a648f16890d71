/** Shows generated Markdown as a preview page. */
import * as vscode from "vscode";

const SCHEME = "linkup";

export class Documents implements vscode.TextDocumentContentProvider, vscode.Disposable {
  readonly #texts = new Map<string, string>();
  readonly #registration = vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);
  #shown = 0;

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.#texts.get(uri.path) ?? "";
  }

  /** Shows the page, replacing an earlier one of the same title. */
  async show(title: string, markdown: string): Promise<void> {
    // A new URI each time, because VS Code caches the text of a URI.
    const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${title}.md`, query: String(++this.#shown) });
    this.#texts.set(uri.path, markdown);
    await vscode.commands.executeCommand("markdown.showPreview", uri);
  }

  dispose(): void {
    this.#registration.dispose();
  }
}
