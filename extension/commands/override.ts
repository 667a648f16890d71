/** Switches overrides of a session on and off: the checkboxes of the Sessions view. */
import type * as vscode from "vscode";
import type { Linkup } from "../linkup.ts";
import { report } from "../report-problem.ts";
import { setting } from "../settings.ts";
import type { Row } from "../views/rows.ts";
import { waitFor } from "../waiting.ts";
import { t } from "../words.ts";
import { selectorOf } from "./choose.ts";

/** Resolves when the next request follows, or the user has cancelled. */
async function switchOverride(linkup: Linkup, { subject }: Row, on: boolean): Promise<void> {
  if (subject.is !== "override") return;
  const { session, override } = subject;
  const title = on
    ? t("Switching on override {0}", override.name)
    : t("Switching off override {0}", override.name);
  const timeoutMs = setting("timeouts.toggle") * 1_000;
  await waitFor(title, async (signal) =>
    (await linkup.manager).setOverrides(selectorOf(session), [override.name], on, signal, timeoutMs),
  );
}

export function registerOverrides(linkup: Linkup, view: vscode.TreeView<Row>): vscode.Disposable {
  return view.onDidChangeCheckboxState(async ({ items }) => {
    try {
      for (const [row] of items) await switchOverride(linkup, row, !row.checked);
    } catch (error) {
      void report(error, linkup);
    }
  });
}
