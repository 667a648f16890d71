/** Registers the Requests view. Everything else of it is loaded when it is first opened. */
import * as vscode from "vscode";
import { REQUESTS_VIEW } from "../ids.ts";
import type { Linkup } from "../linkup.ts";
import type { RequestFeed } from "./request-feed.ts";

/** How often the tree and the status bar are told the numbers. */
const COUNT_MS = 2_000;

export function registerRequests(context: vscode.ExtensionContext, linkup: Linkup): void {
  // Only from the first opening on: the Worker reports nothing while nobody looks.
  let feed: RequestFeed | undefined;
  const provider: vscode.WebviewViewProvider = {
    async resolveWebviewView(view) {
      const [{ RequestFeed }, { showRequestsIn }] = await Promise.all([
        import("./request-feed.ts"),
        import("./requests-view.ts"),
      ]);
      if (!feed) {
        feed = new RequestFeed(linkup);
        context.subscriptions.push(feed, countRequests(feed, linkup));
      }
      showRequestsIn(view, linkup, feed, context.extensionUri);
    },
  };
  context.subscriptions.push(vscode.window.registerWebviewViewProvider(REQUESTS_VIEW, provider));
}

function countRequests(feed: RequestFeed, linkup: Linkup): vscode.Disposable {
  let shown = "";
  const timer = setInterval(() => {
    const { counts } = feed;
    if (JSON.stringify(counts) === shown) return;
    shown = JSON.stringify(counts);
    linkup.showRequestCounts(counts);
  }, COUNT_MS);
  return { dispose: () => clearInterval(timer) };
}

export async function showRequests(): Promise<void> {
  await vscode.commands.executeCommand(`${REQUESTS_VIEW}.focus`);
}
