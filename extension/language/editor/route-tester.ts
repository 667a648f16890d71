/** The command "Test Route": marks the domain, route and service that match a path or URL while it is typed. */
import * as vscode from "vscode";
import { t } from "../../words.ts";
import { type Mark, testRoute } from "../features/route-test.ts";
import { type ConfigDocuments, toRange } from "./config-documents.ts";
import type { LiveFacts } from "./live-facts.ts";

const SUMMARY_MS = 20_000;

export class RouteBench implements vscode.Disposable {
  readonly #documents: ConfigDocuments;
  readonly #facts: LiveFacts;
  readonly #styles: Record<Mark["kind"], vscode.TextEditorDecorationType>;
  readonly #changed: vscode.Disposable;
  #shownIn: vscode.TextEditor | undefined;
  #last = "/";

  constructor(documents: ConfigDocuments, facts: LiveFacts) {
    this.#documents = documents;
    this.#facts = facts;
    const { createTextEditorDecorationType } = vscode.window;
    this.#styles = {
      won: createTextEditorDecorationType({
        backgroundColor: new vscode.ThemeColor("editor.wordHighlightStrongBackground"),
        overviewRulerColor: new vscode.ThemeColor("editorOverviewRuler.findMatchForeground"),
        after: { color: new vscode.ThemeColor("editorCodeLens.foreground"), margin: "0 0 0 2em" },
      }),
      passed: createTextEditorDecorationType({
        opacity: "0.6",
        after: { color: new vscode.ThemeColor("editorCodeLens.foreground"), margin: "0 0 0 2em" },
      }),
    };
    // The marks belong to the text before the change.
    this.#changed = vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
      if (document === this.#shownIn?.document && contentChanges.length > 0) this.clear();
    });
  }

  /** Asks for a path or URL in the active linkup.yaml, or in that of the workspace. */
  async ask(workspaceConfig: () => Promise<string | undefined>): Promise<void> {
    const editor = await this.#editor(workspaceConfig);
    if (!editor) return;
    this.clear();
    const input = vscode.window.createInputBox();
    input.title = t("Test Route");
    input.prompt = t(
      "A path or a URL. The file shows the domain, route, rewrites and service that match it.",
    );
    input.placeholder = "/api/users";
    input.value = this.#last;
    input.valueSelection = [0, input.value.length];
    const show = () => {
      const summary = this.#show(editor, input.value);
      input.validationMessage = { message: summary, severity: vscode.InputBoxValidationSeverity.Info };
    };
    await new Promise<void>((done) => {
      let accepted = false;
      input.onDidChangeValue(show);
      input.onDidAccept(() => {
        accepted = true;
        this.#last = input.value;
        const summary = this.#show(editor, input.value);
        vscode.window.setStatusBarMessage(`$(link) ${summary}`, SUMMARY_MS);
        input.hide();
      });
      input.onDidHide(() => {
        if (!accepted) this.clear();
        input.dispose();
        done();
      });
      input.show();
      show();
    });
  }

  clear(): void {
    for (const style of Object.values(this.#styles)) this.#shownIn?.setDecorations(style, []);
    this.#shownIn = undefined;
  }

  dispose(): void {
    this.#changed.dispose();
    for (const style of Object.values(this.#styles)) style.dispose();
  }

  /** @returns the result in a sentence */
  #show(editor: vscode.TextEditor, input: string): string {
    const { document } = editor;
    const model = this.#documents.model(document);
    const offset = document.offsetAt(editor.selection.active);
    const { summary, marks } = testRoute(model, this.#facts.of(document), input, offset);
    this.#shownIn = editor;
    for (const kind of ["won", "passed"] as const) {
      const options = marks
        .filter((mark) => mark.kind === kind)
        .map((mark) => ({
          range: toRange(model, mark),
          renderOptions: { after: { contentText: mark.text } },
        }));
      editor.setDecorations(this.#styles[kind], options);
    }
    const decisive = marks.find(({ kind }, i) => kind === "won" && i > 0) ?? marks[0];
    if (decisive)
      editor.revealRange(toRange(model, decisive), vscode.TextEditorRevealType.InCenterIfOutsideViewport);
    return summary;
  }

  async #editor(workspaceConfig: () => Promise<string | undefined>): Promise<vscode.TextEditor | undefined> {
    const active = vscode.window.activeTextEditor;
    if (active && this.#documents.has(active.document)) return active;
    const path = await workspaceConfig();
    return path === undefined ? undefined : await vscode.window.showTextDocument(vscode.Uri.file(path));
  }
}
