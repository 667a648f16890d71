/** Shows the rows of `rows.ts` in the activity bar. */
import * as vscode from "vscode";
import { SESSIONS_VIEW } from "../ids.ts";
import { uptime } from "../labels.ts";
import type { Linkup } from "../linkup.ts";
import { ownSessions } from "../window-model.ts";
import { t } from "../words.ts";
import { type Row, sessionRows } from "./rows.ts";

/** VS Code decorates rows by the URI of their resource. */
const MARKS_SCHEME = "linkup-mark";
/** Coalesces changes that arrive together into one redraw. */
const COALESCE_MS = 30;

export function registerSessionsView(context: vscode.ExtensionContext, linkup: Linkup): vscode.TreeView<Row> {
  const provider = new SessionRows(linkup);
  const view = vscode.window.createTreeView(SESSIONS_VIEW, {
    treeDataProvider: provider,
    canSelectMany: true,
    // A box shows what is confirmed, not what was clicked.
    manageCheckboxStateManually: true,
  });
  // VS Code has drawn what was clicked.
  const boxes = view.onDidChangeCheckboxState(({ items }) => provider.redraw(items.map(([row]) => row)));
  const update = () => {
    provider.update();
    view.badge = badge(linkup);
    view.message = message(linkup);
  };
  let timer: NodeJS.Timeout | undefined;
  const soon = () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      update();
    }, COALESCE_MS);
  };
  context.subscriptions.push(
    view,
    boxes,
    vscode.window.registerFileDecorationProvider({ provideFileDecoration: decoration }),
    linkup.onDidChange(soon),
    { dispose: () => clearTimeout(timer) },
  );
  void linkup.configs.ready().then(update);
  return view;
}

/** How rows with a mark look. */
function decoration({ scheme, path }: vscode.Uri): vscode.FileDecoration | undefined {
  if (scheme !== MARKS_SCHEME) return undefined;
  const color = new vscode.ThemeColor("linkup.localForeground");
  if (path === "/local") return new vscode.FileDecoration("⌂", t("local"), color);
  if (path === "/overridden") return new vscode.FileDecoration("≠", t("overridden"), color);
  return undefined;
}

/** Shown above the rows, where the welcome view is hidden. */
function message({ model: { trusted, configs } }: Linkup): string {
  return trusted || configs.length === 0
    ? ""
    : t("This workspace is in Restricted Mode, where Linkup starts nothing.");
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
  readonly #changed = new vscode.EventEmitter<Row[] | undefined>();
  readonly onDidChangeTreeData = this.#changed.event;
  #roots: Row[] = [];
  /** Every row that VS Code may have, by its id. */
  #known = new Map<string, Row>();

  constructor(linkup: Linkup) {
    this.#linkup = linkup;
  }

  /**
   * Redraws only the rows that look different. VS Code drops a row's children while it redraws the row, and clicks on
   * them are lost; so rows keep their identity.
   */
  update(): void {
    const before = ids(this.#roots);
    const changed: Row[] = [];
    const known = new Map<string, Row>();
    this.#roots = sessionRows(this.#linkup.model).map((row) => this.#settle(row, known, changed));
    this.#known = known;
    if (ids(this.#roots) !== before) this.#changed.fire(undefined);
    else if (changed.length > 0) this.#changed.fire(changed);
  }

  /** The row object that VS Code already has, updated in place. */
  #settle(fresh: Row, known: Map<string, Row>, changed: Row[]): Row {
    const children = fresh.children.map((child) => this.#settle(child, known, changed));
    const row = this.#known.get(fresh.id) ?? { ...fresh, children };
    if (appearance(row) !== appearance({ ...fresh, children })) changed.push(row);
    Object.assign(row, fresh, { children });
    known.set(row.id, row);
    return row;
  }

  redraw(rows: Row[]): void {
    this.#changed.fire(rows);
  }

  async getChildren(row?: Row): Promise<Row[]> {
    if (row) return row.children;
    await this.#linkup.configs.ready();
    // An open view shows what runs, even without a linkup.yaml.
    void this.#linkup.manager;
    return this.#roots;
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
    if (row.checked !== undefined) {
      const { Checked, Unchecked } = vscode.TreeItemCheckboxState;
      item.checkboxState = row.checked ? Checked : Unchecked;
    }
    // A row that loses its URI keeps the mark that it had: so one without a mark has a URI too.
    if (row.subject.is === "service")
      item.resourceUri = vscode.Uri.from({ scheme: MARKS_SCHEME, path: `/${row.mark ?? "none"}` });
    if (row.subject.is === "trust") item.command = { command: "workbench.trust.manage", title: row.label };
    return item;
  }

  /** Computed on hover, so that times are current. */
  resolveTreeItem(item: vscode.TreeItem, row: Row): vscode.TreeItem {
    item.tooltip = new vscode.MarkdownString(
      [row.tooltip, ...uptimeOf(row.subject)].filter(Boolean).join("\n\n"),
    );
    return item;
  }
}

/** Only for components that are processes on this machine. */
function uptimeOf(subject: Row["subject"]): string[] {
  if (subject.is !== "component") return [];
  const { pid, state, since } = subject.component;
  return pid !== undefined && state === "ready" ? [uptime(since, Date.now())] : [];
}

function ids(rows: readonly Row[]): string {
  return rows.map(({ id }) => id).join("\n");
}

/** Everything about a row that is visible or affects its menus, except its children. */
function appearance({ label, mark, description, icon, spoken, context, checked, children }: Row): string {
  return JSON.stringify([label, mark, description, icon, spoken, context, checked, ids(children)]);
}
