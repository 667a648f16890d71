/** Opens URLs in the user's browser. */
import * as vscode from "vscode";
import { hostname, isLoopback } from "../core/session/host-name.ts";
import type { Linkup } from "./linkup.ts";
import { waitForAnswer } from "./waiting.ts";
import { t } from "./words.ts";

/** Opens a URL; where it is one of a private session of this machine, the browser is let in. */
export async function openSessionUrl({ manager, model }: Linkup, url: string): Promise<void> {
  const { origin } = new URL(url);
  const isPrivate = model.snapshot.sessions.some(
    ({ access, urls }) => access === "private" && urls.some((each) => new URL(each).origin === origin),
  );
  const open = isPrivate
    ? await waitForAnswer(t("Giving your browser access"), async () => (await manager).ownerUrl(url))
    : url;
  if (open) await openUrl(open);
}

/** Loopback URLs are forwarded where the browser runs on another machine. */
export async function openUrl(url: string): Promise<void> {
  const uri = vscode.Uri.parse(url, true);
  await vscode.env.openExternal(isLoopback(uri.authority) ? await forwarded(uri) : uri);
}

/** VS Code forwards the port of `localhost`, and not that of the names below it, which lead to the same machine. */
async function forwarded(uri: vscode.Uri): Promise<vscode.Uri> {
  const name = hostname(uri.authority);
  const port = /:\d+$/.exec(uri.authority)?.[0];
  if (!name.endsWith(".localhost") || port === undefined) return await vscode.env.asExternalUri(uri);
  const { authority, path } = await vscode.env.asExternalUri(uri.with({ authority: `localhost${port}` }));
  // A host on the Internet, as that of a Codespace, cannot carry the session's name, and no path of code-server does.
  if (!isLoopback(authority) || path !== uri.path) return uri;
  return uri.with({ authority: `${name}${/:\d+$/.exec(authority)?.[0] ?? ""}` });
}
