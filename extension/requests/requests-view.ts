/** The Requests view: hands rows and details to its page, and does what the page's menu asks for. */
import { randomBytes } from "node:crypto";
import * as vscode from "vscode";
import { explanationText } from "../../agent-tools/explanation-text.ts";
import { requestFallbackText } from "../../agent-tools/fallback-text.ts";
import type { ExchangeDetails } from "../../core/api/request-log-api.ts";
import { headerChanges } from "../../core/exchange/header-changes.ts";
import type { Linkup } from "../linkup.ts";
import { report } from "../report-problem.ts";
import { t } from "../words.ts";
import { pageWords } from "./page-words.ts";
import type { FromPage, ShownDetails, ToPage } from "./protocol.ts";
import { runAction, runFileAction } from "./request-actions.ts";
import type { RequestFeed } from "./request-feed.ts";

/** Fills the view; it lives as long as the view does. */
export function showRequestsIn(
  view: vscode.WebviewView,
  linkup: Linkup,
  feed: RequestFeed,
  extensionUri: vscode.Uri,
): void {
  const { webview } = view;
  const dist = vscode.Uri.joinPath(extensionUri, "dist");
  webview.options = { enableScripts: true, localResourceRoots: [dist] };
  const post = (message: ToPage) => void webview.postMessage(message);
  const sendAll = () => {
    post({ type: "rows", rows: feed.shown, words: pageWords() });
    post({ type: "status", status: feed.status });
  };
  const receive = async (message: FromPage): Promise<void> => {
    switch (message.type) {
      case "ready":
        return sendAll();
      case "clear":
        return feed.clear();
      case "bodies":
        return feed.keepBodies(message.keep);
      case "start":
        await vscode.commands.executeCommand("linkup.start");
        return;
      case "live":
        return feed.open(undefined);
      case "details":
        return post(await detailsMessage(linkup, feed, message.id));
      case "action":
        if (feed.file) return runFileAction(linkup, feed.file, message.action, message.ids);
        return runAction(linkup, message.action, message.ids);
    }
  };
  const looked = () => {
    if (view.visible) feed.looked();
  };
  const subscriptions = [
    webview.onDidReceiveMessage((message: FromPage) =>
      receive(message).catch((error) => void report(error, linkup)),
    ),
    feed.onDidChange((rows) => {
      if (!feed.file) post({ type: "changed", rows });
      looked();
    }),
    feed.onDidReset(sendAll),
    feed.onDidChangeStatus((status) => post({ type: "status", status })),
    view.onDidChangeVisibility(looked),
  ];
  view.onDidDispose(() => {
    for (const subscription of subscriptions) subscription.dispose();
  });
  looked();
  webview.html = page(webview, vscode.Uri.joinPath(dist, "requests-page.js"));
}

async function detailsMessage(linkup: Linkup, feed: RequestFeed, id: number): Promise<ToPage> {
  const kept = feed.file?.requests.get(id);
  if (kept) return { type: "details", details: { ...shown(kept), routing: [] } };
  const { requestLog } = await linkup.manager;
  try {
    return { type: "details", details: shown(await requestLog.request(id)) };
  } catch {
    return { type: "gone", id };
  }
}

function shown(details: ExchangeDetails): ShownDetails {
  const { candidates, steps, target, failure } = explanationText(details.explanation, {
    t,
    code: (text) => text,
  });
  return {
    ...details,
    routing: [
      ...candidates,
      ...steps,
      ...(target ? [`→ ${target}`] : []),
      ...(failure?.lines ?? []),
      ...(details.fallback === undefined ? [] : [requestFallbackText(details.fallback, t)]),
    ],
    request: headerChanges(details.request_headers, details.sent_headers),
    response: details.response_headers
      ? headerChanges(details.service_headers ?? details.response_headers, details.response_headers)
      : [],
  };
}

/** Only our own script runs, and nothing is loaded from elsewhere. */
function page(webview: vscode.Webview, script: vscode.Uri): string {
  const nonce = randomBytes(16).toString("base64url");
  const policy = `default-src 'none'; script-src 'nonce-${nonce}'; style-src ${webview.cspSource} 'nonce-${nonce}'; img-src data:`;
  return `<!doctype html>
<html lang="${vscode.env.language}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width">
<title>${t("Requests")}</title>
<style nonce="${nonce}">html, body { height: 100%; margin: 0; padding: 0; overflow: hidden }</style>
</head>
<body>
<linkup-requests role="main"></linkup-requests>
<script nonce="${nonce}" src="${webview.asWebviewUri(script)}"></script>
</body>
</html>`;
}
