/** Switches overrides of a session on and off: by the checkboxes of the Sessions view, and by code lenses. */
import * as vscode from "vscode";
import type { OverrideView, SessionView } from "../../manager/model/snapshot.ts";
import { SWITCH_OVERRIDE } from "../ids.ts";
import type { Linkup } from "../linkup.ts";
import { report } from "../report-problem.ts";
import { setting } from "../settings.ts";
import type { Row } from "../views/rows.ts";
import { waitFor } from "../waiting.ts";
import { t } from "../words.ts";
import { selectorOf } from "./choose.ts";

/** Resolves when the next request follows, or the user has cancelled. */
async function switchOverride(
  linkup: Linkup,
  { session, override }: { session: SessionView; override: OverrideView },
): Promise<void> {
  const on = !override.on;
  const title = on
    ? t("Switching on override {0}", override.name)
    : t("Switching off override {0}", override.name);
  const timeoutMs = setting("timeouts.toggle") * 1_000;
  await waitFor(title, async (signal) =>
    (await linkup.manager).setOverrides(selectorOf(session), [override.name], on, signal, timeoutMs),
  );
}

export function registerOverrides(linkup: Linkup, view: vscode.TreeView<Row>): vscode.Disposable {
  const reported = async (work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      void report(error, linkup);
    }
  };
  return vscode.Disposable.from(
    view.onDidChangeCheckboxState(({ items }) =>
      reported(async () => {
        for (const [{ subject }] of items)
          if (subject.is === "override") await switchOverride(linkup, subject);
      }),
    ),
    vscode.commands.registerCommand(SWITCH_OVERRIDE, (session: SessionView, override: OverrideView) =>
      reported(() => switchOverride(linkup, { session, override })),
    ),
  );
}
