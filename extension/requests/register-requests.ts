/** Registers the Requests view. Everything else of it is loaded when it is first opened. */
import * as vscode from "vscode";
import { REQUESTS_VIEW } from "../ids.ts";
import type { Linkup } from "../linkup.ts";
import type { RequestFeed } from "./request-feed.ts";

/** What the tree and the status bar tell of the requests. */
export interface RequestStats {
  /** Undefined until the view was opened in this window: the Worker reports only while somebody looks. */
  readonly feed: RequestFeed | undefined;
  readonly onDidChange: vscode.Event<void>;
}

export function registerRequests(context: vscode.ExtensionContext, linkup: Linkup): RequestStats {
  const changed = new vscode.EventEmitter<void>();
  let feed: RequestFeed | undefined;
  const provider: vscode.WebviewViewProvider = {
    async resolveWebviewView(view) {
      const [{ RequestFeed }, { showRequestsIn }] = await Promise.all([
        import("./request-feed.ts"),
        import("./requests-view.ts"),
      ]);
      if (!feed) {
        feed = new RequestFeed(linkup);
        context.subscriptions.push(
          feed,
          feed.onDidChange(() => changed.fire()),
          feed.onDidReset(() => changed.fire()),
        );
      }
      showRequestsIn(view, linkup, feed, context.extensionUri);
    },
  };
  context.subscriptions.push(changed, vscode.window.registerWebviewViewProvider(REQUESTS_VIEW, provider));
  return {
    get feed() {
      return feed;
    },
    onDidChange: changed.event,
  };
}

export async function showRequests(): Promise<void> {
  await vscode.commands.executeCommand(`${REQUESTS_VIEW}.focus`);
}
