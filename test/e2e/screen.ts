// Reads what a workbench shows, as text that a test can hold against what a user would read.
import type { Locator, Page } from "playwright-core";

export const SELECTORS = {
  ready: ".monaco-workbench .statusbar-item",
  treeRow: ".customview-tree .monaco-list-row",
  inlineAction: ".actions a.action-label",
  checkbox: ".custom-view-tree-node-item-checkbox",
  viewActions: ".part.sidebar .composite.title .title-actions a.action-label",
  toast: ".notifications-toasts .notification-list-item",
  quickInput: ".quick-input-widget",
  quickInputText: ".quick-input-widget input.input",
  quickInputRow: ".quick-input-list .monaco-list-row",
  dialog: ".monaco-dialog-box",
  problem: ".markers-panel .monaco-list-row",
  welcome: ".welcome-view-content",
  editor: ".editor-group-container.active .monaco-editor",
} as const;

export interface StatusBarItem {
  /** As an extension writes it, icons included: `$(link) slim-gecko`. */
  text: string;
  /** What a screen reader says: the text and the tooltip. */
  label: string;
  kind: "standard" | "prominent" | "warning" | "error" | "remote" | "offline";
}

/**
 * The rows of the trees that extensions show, from the top, one line each: two spaces per level, `▾` or `▸`
 * where there are children, the label, and two spaces before the description.
 */
export async function treeText(page: Page): Promise<string> {
  const rows = page.locator(`${SELECTORS.treeRow}:visible`);
  const lines = await rows.evaluateAll((elements) => {
    const tops = elements.map((row) => ({ row, top: row.getBoundingClientRect().top }));
    return tops
      .sort((a, b) => a.top - b.top)
      .map(({ row }) => {
        const text = (selector: string) => row.querySelector(selector)?.textContent?.trim() ?? "";
        const expanded = row.getAttribute("aria-expanded");
        const twistie = expanded === null ? "" : expanded === "true" ? "▾ " : "▸ ";
        const indent = "  ".repeat(Number(row.getAttribute("aria-level")) - 1);
        const description = text(".label-description");
        return `${indent}${twistie}${text(".label-name")}${description ? `  ${description}` : ""}`;
      });
  });
  return lines.join("\n");
}

/** The toasts on the screen, newest first: `message [Button] [Button]`. */
export async function toastTexts(page: Page): Promise<string[]> {
  const toasts = await page.locator(SELECTORS.toast).all();
  return await Promise.all(
    toasts.map((toast) =>
      textWithButtons(
        toast,
        ".notification-list-item-message",
        ".notification-list-item-buttons-container .monaco-button",
      ),
    ),
  );
}

/** The modal dialog: `message detail [Button] [Button]`, or undefined without a dialog. */
export async function dialogText(page: Page): Promise<string | undefined> {
  const dialog = page.locator(SELECTORS.dialog);
  if ((await dialog.count()) === 0) return undefined;
  return await textWithButtons(dialog, ".dialog-message-text, .dialog-message-detail", ".monaco-button");
}

/** The lines of the Problems panel, as a screen reader says them. */
export async function problemTexts(page: Page): Promise<string[]> {
  return await ariaLabels(page.locator(SELECTORS.problem));
}

/** The rows of the open quick pick, as a screen reader says them: `cloud web, remote`. */
export async function quickPickTexts(page: Page): Promise<string[]> {
  return await ariaLabels(page.locator(`${SELECTORS.quickInputRow}:visible`));
}

/** A status bar item by the id that the workbench gives it, or undefined when it is not shown. */
export async function statusBarItem(page: Page, id: string): Promise<StatusBarItem | undefined> {
  const item = page.locator(`.statusbar-item[id="${id}"]:visible`);
  const [shown] = await item.evaluateAll((elements) =>
    elements.map((element): StatusBarItem => {
      const link = element.querySelector("a");
      const text = [...(link?.childNodes ?? [])].map((node) => {
        const icon = /codicon-([\w-]+)/.exec((node as { className?: string }).className ?? "")?.[1];
        return icon ? `$(${icon})` : node.textContent;
      });
      const kinds = ["prominent", "warning", "error", "remote", "offline"] as const;
      return {
        text: text.join("").replace(/\s+/g, " ").trim(),
        label: link?.getAttribute("aria-label") ?? element.getAttribute("aria-label") ?? "",
        kind: kinds.find((kind) => element.classList.contains(`${kind}-kind`)) ?? "standard",
      };
    }),
  );
  return shown;
}

/** All that a person would see of an extension, for the message of a failed wait. */
export async function describe(page: Page): Promise<string> {
  if (page.isClosed()) return "The page is closed.";
  const parts: [string, string | undefined][] = [
    ["tree", await treeText(page)],
    ["welcome", (await texts(page.locator(`${SELECTORS.welcome}:visible`))).join("\n")],
    ["toasts", (await toastTexts(page)).join("\n")],
    ["dialog", await dialogText(page)],
    ["quick pick", (await quickPickTexts(page)).join("\n")],
    ["problems", (await problemTexts(page)).join("\n")],
    ["status bar", (await texts(page.locator(".statusbar-item:visible"))).filter(Boolean).join(" | ")],
  ];
  return parts.map(([name, text]) => (text ? `--- ${name}\n${text}\n` : "")).join("");
}

/** What a screen reader says of each. */
export async function ariaLabels(rows: Locator): Promise<string[]> {
  const labels = await rows.evaluateAll((elements) =>
    elements.map((row) => row.getAttribute("aria-label") ?? ""),
  );
  return labels.map((label: string) => label.replace(/\s+/g, " ").trim());
}

async function texts(rows: Locator): Promise<string[]> {
  return (await rows.allInnerTexts()).map((text) => text.replace(/\s+/g, " ").trim());
}

async function textWithButtons(within: Locator, message: string, buttons: string): Promise<string> {
  const words = await texts(within.locator(message));
  const labels = await texts(within.locator(buttons));
  return [...words, ...labels.filter(Boolean).map((label) => `[${label}]`)].join(" ");
}
