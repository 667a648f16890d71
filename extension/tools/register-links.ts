/** Registers the links into VS Code. What they do is read when one is opened. */
import * as vscode from "vscode";
import type { Linkup } from "../linkup.ts";
import { report } from "../report-problem.ts";

export function registerLinks(context: vscode.ExtensionContext, linkup: Linkup): void {
  const follow = async (uri: vscode.Uri) => (await import("./links.ts")).follow(linkup, uri);
  const handler: vscode.UriHandler = {
    handleUri: (uri) => void follow(uri).catch((error) => report(error, linkup)),
  };
  context.subscriptions.push(vscode.window.registerUriHandler(handler));
}
