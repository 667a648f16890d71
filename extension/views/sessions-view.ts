/** Shows the rows of `rows.ts` in the activity bar. */
import * as vscode from "vscode";
import { CONTEXT_KEYS, commandId, SESSIONS_VIEW } from "../ids.ts";
import type { Linkup } from "../linkup.ts";
import { ownSessions, workspaceState } from "../model.ts";
import { t } from "../words.ts";
import { type Row, sessionRows } from "./rows.ts";

/** Changes that come in one go are drawn once. */
const COALESCE_MS = 30;

export function registerSessionsView(context: vscode.ExtensionContext, linkup: Linkup): vscode.TreeView<Row> {
  const provider = new SessionRows(linkup);
  const view = vscode.window.createTreeView(SESSIONS_VIEW, {
    treeDataProvider: provider,
    showCollapseAll: false,
  });
  const update = () => {
    provider.refresh();
    const own = ownSessions(linkup.model);
    const setContext = (key: string, value: unknown) =>
      void vscode.commands.executeCommand("setContext", key, value);
    setContext(CONTEXT_KEYS.state, workspaceState(linkup.model));
    setContext(CONTEXT_KEYS.hasSession, own.length > 0);
    const services = own.flatMap(({ services }) => services);
    setContext(
      CONTEXT_KEYS.hasLocal,
      services.some(({ target }) => target === "local"),
    );
    const unhealthy = services.filter(({ health }) => health === "unhealthy").length;
    view.badge =
      unhealthy > 0
        ? {
            value: unhealthy,
            tooltip:
              unhealthy === 1 ? t("1 service is unhealthy") : t("{0} services are unhealthy", unhealthy),
          }
        : undefined;
  };
  let timer: NodeJS.Timeout | undefined;
  const soon = () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      update();
    }, COALESCE_MS);
  };
  context.subscriptions.push(view, linkup.onDidChange(soon), { dispose: () => clearTimeout(timer) });
  void linkup.configs.ready().then(update);
  return view;
}

class SessionRows implements vscode.TreeDataProvider<Row> {
  readonly #linkup: Linkup;
  readonly #changed = new vscode.EventEmitter<void>();
  readonly onDidChangeTreeData = this.#changed.event;

  constructor(linkup: Linkup) {
    this.#linkup = linkup;
  }

  refresh(): void {
    this.#changed.fire();
  }

  async getChildren(row?: Row): Promise<Row[]> {
    if (row) return row.children;
    await this.#linkup.configs.ready();
    return sessionRows(this.#linkup.model);
  }

  getTreeItem(row: Row): vscode.TreeItem {
    const { None, Expanded, Collapsed } = vscode.TreeItemCollapsibleState;
    const item = new vscode.TreeItem(
      row.label,
      row.children.length === 0 ? None : row.expanded ? Expanded : Collapsed,
    );
    item.id = row.id;
    item.description = row.description;
    item.iconPath = new vscode.ThemeIcon(
      row.icon.name,
      row.icon.color ? new vscode.ThemeColor(row.icon.color) : undefined,
    );
    item.tooltip = new vscode.MarkdownString(row.tooltip);
    item.accessibilityInformation = { label: row.spoken };
    item.contextValue = row.context;
    if (row.subject.is === "url")
      item.command = { command: commandId("openUrl"), title: t("Open in Browser"), arguments: [row] };
    return item;
  }
}
