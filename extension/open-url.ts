/** Opens URLs in the user's browser. */
import * as vscode from "vscode";
import { isLoopback } from "../core/session/host-name.ts";
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
  await vscode.env.openExternal(isLoopback(uri.authority) ? await vscode.env.asExternalUri(uri) : uri);
}
