/**
 * Pages of generated Markdown with buttons: each in a tab of its own that is named after it. A webview without scripts, because
 * VS Code's Markdown preview follows no command links and names its tab after a file. VS Code itself renders the Markdown.
 */
import * as vscode from "vscode";
import { COMMANDS, type Command, commandId } from "../ids.ts";
import { REVOKE_INVITE } from "../views/share-text.ts";
import { t } from "../words.ts";

/** Internal command of the copy buttons. */
const COPY = "linkup.copyDocument";

type Copied = "markdown" | "json" | "link";

export interface Document {
  /** Name of its tab; a later document of the same title takes its place. */
  title: string;
  markdown: string;
  /** The command that shows it anew. */
  refresh?: Command;
  /** Offered to copy, for an issue. */
  json?: string;
  /** Shown as a QR code, and offered to copy. It is no part of the text. */
  link?: QrLink;
}

interface QrLink {
  url: string;
  caption: string;
  /** Our own markup. */
  svg: string;
}

export class Documents implements vscode.Disposable {
  readonly #media: vscode.Uri;
  readonly #panels = new Map<string, vscode.WebviewPanel>();
  readonly #shown = new Map<string, Document>();
  readonly #copyCommand: vscode.Disposable;

  constructor(extensionUri: vscode.Uri) {
    this.#media = vscode.Uri.joinPath(extensionUri, "media");
    this.#copyCommand = vscode.commands.registerCommand(COPY, (title: string, what: Copied) =>
      this.#copy(title, what),
    );
  }

  async show(document: Document): Promise<void> {
    const { title } = document;
    const body = await rendered(document.markdown);
    this.#shown.set(title, document);
    const known = this.#panels.get(title);
    const panel = known ?? this.#open(title);
    panel.webview.html = this.#html(panel.webview, document, body);
    if (known) panel.reveal();
  }

  dispose(): void {
    this.#copyCommand.dispose();
    for (const panel of this.#panels.values()) panel.dispose();
  }

  #open(title: string): vscode.WebviewPanel {
    const panel = vscode.window.createWebviewPanel("linkup.document", title, vscode.ViewColumn.Active, {
      enableScripts: false,
      enableFindWidget: true,
      // No other command, whatever the page holds.
      enableCommandUris: [...COMMANDS.map(commandId), COPY, REVOKE_INVITE],
      localResourceRoots: [this.#media],
    });
    this.#panels.set(title, panel);
    panel.onDidDispose(() => {
      this.#panels.delete(title);
      this.#shown.delete(title);
    });
    return panel;
  }

  #html(webview: vscode.Webview, { title, refresh, json, link }: Document, body: string): string {
    const style = webview.asWebviewUri(vscode.Uri.joinPath(this.#media, "document.css"));
    const copy = (what: Copied) => `${COPY}?${encodeURIComponent(JSON.stringify([title, what]))}`;
    const buttons = [
      ...(refresh ? [button(commandId(refresh), t("Refresh"))] : []),
      ...(link ? [button(copy("link"), t("Copy Link"))] : []),
      button(copy("markdown"), t("Copy Text")),
      ...(json === undefined ? [] : [button(copy("json"), t("Copy JSON"))]),
    ];
    return `<!DOCTYPE html>
<html lang="${vscode.env.language}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src ${webview.cspSource}">
<title>${escapedHtml(title)}</title>
<link rel="stylesheet" href="${style}">
</head>
<body>
<nav aria-label="${escapedHtml(title)}">${buttons.join("")}</nav>
<main>${link ? figure(link) : ""}${body}</main>
</body>
</html>
`;
  }

  async #copy(title: string, what: Copied): Promise<void> {
    const shown = this.#shown.get(title);
    const text = what === "link" ? shown?.link?.url : shown?.[what];
    if (text === undefined) return;
    await vscode.env.clipboard.writeText(text);
    vscode.window.setStatusBarMessage(t("Copied {0}", title), 3000);
  }
}

function figure({ url, caption, svg }: QrLink): string {
  const image = svg.replace(
    "<svg ",
    `<svg role="img" aria-label="${escapedHtml(t("QR code of the link"))}" `,
  );
  return `<figure>${image}<figcaption>${escapedHtml(caption)}<br><code>${escapedHtml(url)}</code></figcaption></figure>`;
}

function button(command: string, title: string): string {
  return `<a class="button" role="button" href="command:${command}">${escapedHtml(title)}</a>`;
}

/** As plain text where VS Code's Markdown extension is switched off. */
async function rendered(markdown: string): Promise<string> {
  try {
    const html = await vscode.commands.executeCommand<string | undefined>("markdown.api.render", markdown);
    if (html) return html;
  } catch {
    // No such command.
  }
  return `<pre>${escapedHtml(markdown)}</pre>`;
}

function escapedHtml(text: string): string {
  return text.replaceAll(
    /[&<>"]/g,
    (character) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[character]!,
  );
}
