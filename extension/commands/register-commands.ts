/** Registers every command, and shows what fails. What the commands do is read when the first one is run. */
import * as vscode from "vscode";
import type { OverrideView, SessionView } from "../../manager/model/snapshot.ts";
import { COMMANDS, commandId, SWITCH_OVERRIDE } from "../ids.ts";
import { report } from "../report-problem.ts";
import type { Row } from "../views/rows.ts";
import type { CommandContext, Handlers } from "./handlers.ts";

export function registerCommands(commandContext: CommandContext): void {
  const { context, linkup, view } = commandContext;
  let loaded: Promise<Handlers> | undefined;
  const load = () => {
    loaded ??= import("./handlers.ts").then(({ createHandlers }) => createHandlers(commandContext));
    return loaded;
  };
  const reported = async (work: () => Promise<unknown>) => {
    try {
      await work();
    } catch (error) {
      // Not awaited: the notification may stay open for long.
      void report(error, linkup);
    }
  };
  const switchOverride = async (session: SessionView, override: OverrideView) =>
    await (await import("./override.ts")).switchOverride(linkup, session, override);
  context.subscriptions.push(
    linkup.joined.onDidEnd((joined) =>
      reported(async () => (await import("./join-session.ts")).showInviteEnd(linkup, joined)),
    ),
    view.onDidChangeCheckboxState(({ items }) =>
      reported(async () => {
        for (const [{ subject }] of items)
          if (subject.is === "override") await switchOverride(subject.session, subject.override);
      }),
    ),
    vscode.commands.registerCommand(SWITCH_OVERRIDE, (session: SessionView, override: OverrideView) =>
      reported(() => switchOverride(session, override)),
    ),
    ...COMMANDS.map((command) =>
      // VS Code passes the row that was clicked, and all selected ones where it is among them.
      vscode.commands.registerCommand(commandId(command), (row?: unknown, rows?: unknown) =>
        reported(async () => {
          const clicked = isRow(row) ? row : undefined;
          const selected = Array.isArray(rows) ? rows.filter(isRow) : [];
          const handlers = await load();
          await handlers[command](clicked, selected.length > 0 ? selected : clicked ? [clicked] : []);
        }),
      ),
    ),
  );
}

/** Keybindings and other extensions pass what they like. */
function isRow(value: unknown): value is Row {
  return typeof value === "object" && value !== null && "subject" in value;
}
