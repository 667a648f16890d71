/** Registers the Requests view. Everything else of it is loaded when it is first opened, or when spans are exported. */
import * as vscode from "vscode";
import { REQUESTS_VIEW } from "../ids.ts";
import type { Linkup } from "../linkup.ts";
import { report } from "../report-problem.ts";
import { setting, settingChanged } from "../settings.ts";
import type { RequestFeed } from "./request-feed.ts";

/** How long after a change the tree and the status bar are told the numbers. */
const COUNT_MS = 2_000;

let _openFeed: (() => Promise<RequestFeed>) | undefined;

export function registerRequests(context: vscode.ExtensionContext, linkup: Linkup): void {
  // Only from the first opening on: the Worker reports nothing while nobody looks.
  let opened: Promise<RequestFeed> | undefined;
  const openFeed = () => {
    opened ??= import("./request-feed.ts").then(({ RequestFeed }) => {
      const feed = new RequestFeed(linkup);
      context.subscriptions.push(feed, countRequests(feed, linkup));
      return feed;
    });
    return opened;
  };
  _openFeed = openFeed;
  const provider: vscode.WebviewViewProvider = {
    async resolveWebviewView(view) {
      const [feed, { showRequestsIn }] = await Promise.all([openFeed(), import("./requests-view.ts")]);
      showRequestsIn(view, linkup, feed, context.extensionUri);
    },
  };
  context.subscriptions.push(
    vscode.window.registerWebviewViewProvider(REQUESTS_VIEW, provider),
    { dispose: () => (_openFeed = undefined) },
    linkup.onDidUse(() => context.subscriptions.push(exportSpans(openFeed, linkup))),
  );
}

/** While the setting names a collector. A workspace cannot set it: the spans tell what is requested. */
function exportSpans(openFeed: () => Promise<RequestFeed>, linkup: Linkup): vscode.Disposable {
  let current: { dispose(): void } | undefined;
  let isDisposed = false;
  const apply = async () => {
    current?.dispose();
    current = undefined;
    const endpoint = setting("otlp.endpoint").trim();
    if (endpoint === "" || !vscode.workspace.isTrusted) return;
    const [feed, { SpanExport }] = await Promise.all([openFeed(), import("./span-export.ts")]);
    // The setting may have changed again meanwhile.
    if (isDisposed || current || setting("otlp.endpoint").trim() !== endpoint) return;
    current = new SpanExport(feed, endpoint, linkup);
  };
  const applyOrReport = () => void apply().catch((error) => void report(error, linkup));
  applyOrReport();
  return vscode.Disposable.from(
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (settingChanged(event, "otlp.endpoint")) applyOrReport();
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(applyOrReport),
    {
      dispose() {
        isDisposed = true;
        current?.dispose();
      },
    },
  );
}

/** Exported for its test. */
export function countRequests(feed: RequestFeed, linkup: Linkup): vscode.Disposable {
  let shown = "";
  let timer: NodeJS.Timeout | undefined;
  const tell = () => {
    timer = undefined;
    const { counts } = feed;
    // Those of the last minutes change without a request, too.
    if (Object.keys(counts.services).length > 0) soon();
    if (JSON.stringify(counts) === shown) return;
    shown = JSON.stringify(counts);
    linkup.showRequestCounts(counts);
  };
  const soon = () => {
    timer ??= setTimeout(tell, COUNT_MS);
  };
  return vscode.Disposable.from(feed.onDidChange(soon), feed.onDidReset(soon), feed.onDidLook(soon), {
    dispose: () => clearTimeout(timer),
  });
}

export async function showRequests(): Promise<void> {
  await vscode.commands.executeCommand(`${REQUESTS_VIEW}.focus`);
}

/** Shows the requests of a HAR that the user picks, instead of those that come. */
export async function openHar(): Promise<void> {
  const [picked] =
    (await vscode.window.showOpenDialog({ filters: { HAR: ["har"] }, canSelectMany: false })) ?? [];
  if (!picked) return;
  const { readHarFile } = await import("./har-file.ts");
  const file = await readHarFile(picked);
  await showRequests();
  // The view is made after it has been shown.
  (await _openFeed?.())?.open(file);
}
