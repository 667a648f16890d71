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
  const view = vscode.window.createTreeView(SESSIONS_VIEW, { treeDataProvider: provider });
  const update = () => {
    provider.update();
    setContextKeys(linkup);
    view.badge = badge(linkup);
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

function setContextKeys({ model }: Linkup): void {
  const own = ownSessions(model);
  const values: Record<keyof typeof CONTEXT_KEYS, unknown> = {
    state: workspaceState(model),
    hasConfig: model.configs.length > 0,
    hasSession: own.length > 0,
    hasLocal: own.some(({ services }) => services.some(({ target }) => target === "local")),
  };
  for (const [key, value] of Object.entries(values))
    void vscode.commands.executeCommand("setContext", CONTEXT_KEYS[key as keyof typeof CONTEXT_KEYS], value);
}

/** How many services of running sessions are unhealthy. */
function badge({ model }: Linkup): vscode.ViewBadge | undefined {
  const running = ownSessions(model).filter(({ state }) => state === "running");
  const value = running
    .flatMap(({ services }) => services)
    .filter(({ health }) => health === "unhealthy").length;
  if (value === 0) return undefined;
  return {
    value,
    tooltip: value === 1 ? t("1 service is unhealthy") : t("{0} services are unhealthy", value),
  };
}

class SessionRows implements vscode.TreeDataProvider<Row> {
  readonly #linkup: Linkup;
  readonly #changed = new vscode.EventEmitter<void>();
  readonly onDidChangeTreeData = this.#changed.event;
  #rows: Row[] = [];
  #drawn = "";

  constructor(linkup: Linkup) {
    this.#linkup = linkup;
  }

  /** Draws anew only what looks different: a redraw closes tooltips, and takes clicks from under the mouse. */
  update(): void {
    this.#rows = sessionRows(this.#linkup.model);
    const drawn = JSON.stringify(this.#rows, (key, value) =>
      key === "tooltip" || key === "latencyMs" || key === "since" ? undefined : value,
    );
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    this.#changed.fire();
  }

  async getChildren(row?: Row): Promise<Row[]> {
    if (row) return row.children;
    await this.#linkup.configs.ready();
    this.#rows = sessionRows(this.#linkup.model);
    return this.#rows;
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
    item.accessibilityInformation = { label: row.spoken };
    item.contextValue = row.context;
    if (row.subject.is === "url")
      item.command = { command: commandId("openUrl"), title: t("Open in Browser"), arguments: [row] };
    return item;
  }

  /** The tooltip is that of now, not of when the row was drawn. */
  resolveTreeItem(item: vscode.TreeItem, row: Row): vscode.TreeItem {
    const all = this.#rows.flatMap((root) => [root, ...root.children]);
    const now = all.find(({ id }) => id === row.id) ?? row;
    item.tooltip = new vscode.MarkdownString(now.tooltip);
    return item;
  }
}
