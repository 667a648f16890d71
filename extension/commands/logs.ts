/** Show Logs: what happens to sessions, and what each component writes. */
import * as vscode from "vscode";
import { type LogChannels, sourceName } from "../log-channels.ts";
import type { Row } from "../views/rows.ts";
import { t } from "../words.ts";

/** On the row of a component its channel, on other rows that of the sessions; otherwise the user chooses. */
export async function showLogs(channels: LogChannels, row?: Row): Promise<void> {
  const subject = row?.subject;
  if (subject?.is === "component") return await channels.show(subject.component.id);
  const sources = await channels.sources();
  // Before the first session there is nothing to choose from.
  if (sources.length === 0 || subject?.is === "session" || subject?.is === "problem")
    return await channels.show();
  const items = [
    { label: t("Sessions"), description: t("starts, stops, switches and all failures"), source: undefined },
    ...sources.map((source) => ({ label: sourceName(source), source })),
  ];
  const picked = await vscode.window.showQuickPick(items, { title: t("Show Logs") });
  if (picked) await channels.show(picked.source);
}
