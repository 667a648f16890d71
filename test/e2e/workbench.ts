// Drives a real VS Code as a user does, through a browser, and reads what it shows.
import { join } from "node:path";
import type { BrowserContext, Frame, Locator, Page } from "playwright-core";
import { newContext } from "./browser.ts";
import { ran } from "./commands-run.ts";
import { LONG_WAIT, ObservedWindow, WAIT } from "./observed-window.ts";
import * as screen from "./screen.ts";
import { type RunningProcess, Server, type ServerOptions, signal, writeWorkspace } from "./server.ts";

const { SELECTORS } = screen;
/** How long a command may be missing from an open palette, before it is opened anew. */
const REOPEN_MS = 8_000;
/** As the list of themes shows them. */
const THEME_NAMES = {
  light: "Light Modern",
  dark: "Dark Modern",
  hc: "Dark High Contrast",
  hcLight: "Light High Contrast",
};
/** As webviews know them. */
const THEME_KINDS = {
  light: "vscode-light",
  dark: "vscode-dark",
  hc: "vscode-high-contrast",
  hcLight: "vscode-high-contrast-light",
};
const THEMES = {
  light: "Light Modern",
  dark: "Dark Modern",
  hc: "Default High Contrast",
  hcLight: "Default High Contrast Light",
};

export interface WorkbenchOptions extends ServerOptions {
  /** The folders that are open, paths or URIs: several make a multi-root workspace, none an empty window. */
  folders?: string[];
  /** The name by which the browser reaches VS Code, as if from another machine. */
  host?: string;
  colorTheme?: keyof typeof THEMES;
  /** The window's size in CSS pixels. */
  size?: { width: number; height: number };
}

/**
 * One window. Every method waits for what it acts on, and fails with all that the window shows and a picture
 * of it (`test-results/vscode/failure-….png`).
 */
export class Workbench extends ObservedWindow {
  readonly context: BrowserContext;
  readonly #url: string;

  private constructor(server: Server, context: BrowserContext, page: Page, url: string) {
    super(server, page);
    this.context = context;
    this.#url = url;
  }

  /** A new user's VS Code with the extension installed, ready for use. `stop` it in the end. */
  static async start(options: WorkbenchOptions = {}): Promise<Workbench> {
    const theme = { "workbench.colorTheme": THEMES[options.colorTheme ?? "dark"] };
    const settings = { ...theme, "window.autoDetectColorScheme": false, ...options.settings };
    const server = await Server.start({ ...options, settings });
    let context: BrowserContext | undefined;
    try {
      const url = new URL(server.url);
      if (options.host) url.hostname = options.host;
      const flags = options.host
        ? [
            `--host-resolver-rules=MAP ${options.host} 127.0.0.1`,
            `--unsafely-treat-insecure-origin-as-secure=${url.origin}`,
          ]
        : [];
      context = await newContext(server.folder, options.size ?? { width: 1200, height: 800 }, flags);
      return await Workbench.#open(server, url.origin, context, options.folders ?? []);
    } catch (error) {
      await context?.browser()?.close();
      await server.stop();
      throw error;
    }
  }

  static async #open(
    server: Server,
    origin: string,
    context: BrowserContext,
    folders: string[],
  ): Promise<Workbench> {
    const [folder] = folders;
    const workspace =
      folders.length > 1 ? await writeWorkspace(join(server.folder, "home"), folders) : undefined;
    const query = workspace ? { workspace } : folder ? { folder } : { ew: "true" };
    const url = `${origin}/?${new URLSearchParams(query)}`;
    const window = new Workbench(server, context, await context.newPage(), url);
    await window.#load(() => window.page.goto(url));
    return window;
  }

  /** One more window of the same user. */
  async openWindow(folders: string[]): Promise<Workbench> {
    return await Workbench.#open(this.server, new URL(this.#url).origin, this.context, folders);
  }

  /** Ends everything that this VS Code and the extensions in it started. Throws when something remains. */
  async stop(): Promise<void> {
    await this.context.browser()?.close();
    await this.server.stop();
  }

  // What the window shows

  /** See `treeText`. */
  async tree(): Promise<string> {
    return await screen.treeText(this.page);
  }

  /** Waits until the Sessions view has this text, and returns it with the pattern's groups. */
  async inTree(text: string | RegExp, timeout = WAIT): Promise<string[]> {
    return await this.until<string[] | false | null>(
      `"${text}" in the tree`,
      async () => {
        const tree = await this.tree();
        return typeof text === "string" ? tree.includes(text) && [text] : text.exec(tree);
      },
      timeout,
    );
  }

  async toasts(): Promise<string[]> {
    return await screen.toastTexts(this.page);
  }

  /** Waits for a notification like this, and returns its text. */
  async toast(pattern: RegExp, timeout = WAIT): Promise<string> {
    return await this.until(
      `a notification like ${pattern}`,
      async () => (await this.toasts()).find((text) => pattern.test(text)),
      timeout,
    );
  }

  async dialog(): Promise<string | undefined> {
    return await screen.dialogText(this.page);
  }

  async quickPickItems(): Promise<string[]> {
    return await screen.quickPickTexts(this.page);
  }

  /** @param itemId as the extension gave it to `createStatusBarItem` */
  async statusBar(itemId: string): Promise<screen.StatusBarItem | undefined> {
    for (const extension of this.server.extensionIds) {
      const item = await screen.statusBarItem(this.page, `${extension}.${itemId}`);
      if (item) return item;
    }
    return undefined;
  }

  /** Opens the Problems panel and returns its lines: a file with its count, then its problems. */
  async problems(): Promise<string[]> {
    const panel = this.page.locator(".markers-panel:visible");
    if ((await panel.count()) === 0) {
      await this.press("ControlOrMeta+Shift+M");
      await this.visible("the Problems panel", panel);
    }
    return await screen.problemTexts(this.page);
  }

  /** What stands in the terminal that is open, one space for each gap. */
  async terminal(): Promise<string> {
    const rows = await this.page.locator(".terminal-wrapper.active .xterm-rows > div").allTextContents();
    return rows.join("\n").replace(/[^\S\n]+/g, " ");
  }

  /** The entries behind the "…" of the view's title. */
  async viewMenu(): Promise<string[]> {
    const more = this.page.locator(`${SELECTORS.viewActions}[aria-label^="Views and More Actions"]`);
    return await this.#entries("the menu of the view", () => more.click());
  }

  /** The entries of a tree row's context menu. */
  async rowMenu(rowLabel: string): Promise<string[]> {
    const open = () => this.row(rowLabel).click({ button: "right" });
    return await this.#entries(`the context menu of the row "${rowLabel}"`, open);
  }

  /** The inline buttons of a tree row. */
  async rowActions(rowLabel: string): Promise<string[]> {
    await this.row(rowLabel).hover();
    return await screen.ariaLabels(this.row(rowLabel).locator(SELECTORS.inlineAction));
  }

  /** The buttons of the view's title. */
  async viewActions(): Promise<string[]> {
    const labels = await screen.ariaLabels(this.page.locator(SELECTORS.viewActions));
    return labels.filter((label) => !label.startsWith("Views and More"));
  }

  async #entries(what: string, open: () => Promise<void>): Promise<string[]> {
    const entries = this.page.locator(".monaco-menu:visible .action-item:not(.disabled) .action-label");
    await this.act(`opening ${what}`, open);
    const texts = await this.until(`entries in ${what}`, async () => {
      const found = (await entries.allTextContents()).map((text) => text.trim()).filter(Boolean);
      return found.length > 0 && found;
    });
    await this.until(`${what} to close`, async () => {
      await this.press("Escape");
      return (await entries.count()) === 0;
    });
    return texts;
  }

  async clipboard(): Promise<string> {
    return await this.page.evaluate("navigator.clipboard.readText()");
  }

  /** All processes started by the server and the extensions in it. */
  processes(): RunningProcess[] {
    return this.server.processes();
  }

  // What a user does

  /** Runs a command from the palette, by its whole title: `Linkup: Start`. */
  async command(title: string): Promise<void> {
    await this.#closeQuickInput();
    await this.#pick(`>${title}`, title, LONG_WAIT, "F1");
    ran(title);
  }

  /** What the palette finds for a text. */
  async palette(text: string): Promise<string[]> {
    await this.#closeQuickInput();
    await this.press("F1");
    const input = this.page.locator(SELECTORS.quickInputText);
    await input.fill(`>${text}`);
    const items = await this.until("the commands", async () => {
      const shown = await this.quickPickItems();
      return (await input.inputValue()) === `>${text}` && shown.length > 0 && shown;
    });
    await this.press("Escape");
    return items.map((item) => item.split(",")[0]!);
  }

  /** Picks the row with that label in the open quick pick. */
  async quickPick(label: string): Promise<void> {
    await this.#pick(undefined, label, WAIT);
    ran(label);
  }

  /** Enters a text in the open input box, that of this prompt where one follows another. */
  async quickInput(text: string, prompt = ""): Promise<void> {
    const widget = this.page.locator(`${SELECTORS.quickInput}:visible`);
    await this.visible(`an input box ${prompt}`, widget.filter({ hasText: prompt }));
    const input = this.page.locator(`${SELECTORS.quickInputText}:visible`);
    await this.act(`entering text in the input box`, () => input.fill(text));
    await this.press("Enter");
  }

  /** Goes back from the question with this text to the one before. */
  async back(text: string): Promise<void> {
    const widget = this.page.locator(`${SELECTORS.quickInput}:visible`);
    await this.visible(`a question with ${text}`, widget.filter({ hasText: text }));
    await this.act("going back", () => widget.getByLabel("Back").click());
    await this.visible("the question before", widget.filter({ hasNotText: text }));
  }

  /** Opens a file of the workspace by its name, and waits for its editor. */
  async openFile(name: string): Promise<void> {
    await this.#closeQuickInput();
    await this.#pick(name, name, LONG_WAIT, "ControlOrMeta+P");
    await this.visible(`the editor of ${name}`, this.page.locator(`.tab.active[aria-label^="${name}"]`));
    await this.visible(`the text of ${name}`, this.page.locator(`${SELECTORS.editor} .view-line`).first());
  }

  /** Types at the cursor of the active editor, key by key, as far as completions and auto-closing go. */
  async typeText(text: string): Promise<void> {
    await this.press("ControlOrMeta+1");
    await this.visible("the cursor in an editor", this.page.locator(`${SELECTORS.editor}.focused`));
    await this.page.keyboard.type(text);
  }

  /** Presses a key or chord, named as by Playwright: `ControlOrMeta+S`. */
  async press(keys: string): Promise<void> {
    await this.page.keyboard.press(keys);
    ran(keys);
  }

  /** Clicks an item of the extension's in the status bar. */
  async clickStatusBar(id: string): Promise<void> {
    await this.page.locator(`.statusbar-item[id="linkup-dev.linkup.${id}"]`).click();
    ran(`status bar: ${id}`);
  }

  /** Shows a view container by its title in the activity bar. */
  async showView(title = "Linkup"): Promise<void> {
    const tab = this.page.locator(".activitybar .action-item", {
      has: this.page.locator(`a[aria-label^="${title}"]`),
    });
    await this.visible(`${title} in the activity bar`, tab, LONG_WAIT);
    if (!(await tab.first().getAttribute("class"))?.includes("checked"))
      await this.act(`clicking ${title} in the activity bar`, () => tab.click());
    await this.visible(`the view container ${title}`, tab.and(this.page.locator(".checked")));
  }

  /** The extension is there, and no session runs. */
  async stopped(): Promise<void> {
    await this.until(
      "the extension",
      async () => (await this.statusBar("session"))?.text === "$(link) Linkup",
    );
  }

  /** Leaves the window as it was before its session: nothing runs, every service is remote, no editor is open. */
  async stopSession(): Promise<void> {
    const status = (await this.statusBar("session"))?.text ?? "";
    // A session that is started again has the targets that it had.
    if (/ local/.test(status)) await this.command("Linkup: Route All to Remote");
    if (status !== "$(link) Linkup") await this.command("Linkup: Stop");
    await this.command("View: Close All Editors");
  }

  /** The tree row with exactly that label. */
  row(label: string): Locator {
    const name = this.page.locator(".label-name").getByText(label, { exact: true });
    return this.page.locator(`${SELECTORS.treeRow}:visible`).filter({ has: name }).first();
  }

  /** Opens a row of the tree until this child is there: a click on rows that are just drawn anew may close it again. */
  async expand(label: string, child: string): Promise<void> {
    await this.until(`${child} below ${label}`, async () => {
      if (await this.row(child).isVisible()) return true;
      // A tooltip may cover the row until the mouse is elsewhere.
      await this.page.mouse.move(0, 0);
      await this.row(label).click({ timeout: 2_000 });
      return this.row(child)
        .waitFor({ timeout: 2_000 })
        .then(() => true);
    });
  }

  /** Clicks an inline button of a tree row, by its title: `Route to Local`. */
  async inlineAction(rowLabel: string, actionLabel: string): Promise<void> {
    const button = this.row(rowLabel).locator(`${SELECTORS.inlineAction}[aria-label^="${actionLabel}"]`);
    await this.until(`a click on "${actionLabel}" of the row "${rowLabel}"`, async () => {
      // Rows may still move while the tree is drawn anew: then the button under the mouse is another row's.
      // Another row's tooltip may cover it, until the mouse is elsewhere.
      await this.page.mouse.move(0, 0);
      await this.row(rowLabel).hover({ timeout: 2000 });
      await button.click({ timeout: 2000 });
      return true;
    });
    ran(actionLabel);
  }

  /** Clicks the checkbox of a tree row until it is set, or not. */
  async setCheckbox(rowLabel: string, checked: boolean): Promise<void> {
    const box = this.row(rowLabel).locator(SELECTORS.checkbox);
    await this.until(`the checkbox of "${rowLabel}" to be ${checked}`, async () => {
      if ((await box.getAttribute("aria-checked")) === String(checked)) return true;
      await this.page.mouse.move(0, 0);
      await box.click({ timeout: 2_000 });
      // It is drawn at once, and stays when both hops have confirmed: what else the tree says tells that.
      await this.row(rowLabel)
        .locator(`${SELECTORS.checkbox}[aria-checked="${checked}"]`)
        .waitFor({ timeout: 5_000 });
      return true;
    });
  }

  /** Clicks an entry in a tree row's context menu. */
  async contextMenu(rowLabel: string, entry: string): Promise<void> {
    const menu = this.page.locator(".monaco-menu:visible");
    const item = menu.getByRole("menuitem", { name: entry, exact: true }).first();
    await this.act(`opening the context menu of the row "${rowLabel}"`, () =>
      this.row(rowLabel).click({ button: "right" }),
    );
    await this.visible(`"${entry}" in the context menu of the row "${rowLabel}"`, item);
    // A menu ignores the mouse in its first moments.
    await this.until(`the context menu to close after "${entry}"`, async () => {
      if (await item.isVisible()) await item.click({ timeout: 1000 });
      return (await menu.count()) === 0;
    });
    ran(entry);
  }

  /** Clicks a button of the toast, modal dialog or welcome view that shows one of that name. */
  async button(label: string): Promise<void> {
    const places = `${SELECTORS.toast}, ${SELECTORS.dialog}, ${SELECTORS.welcome}`;
    const button = this.page.locator(places).locator(".monaco-button").getByText(label, { exact: true });
    await this.act(`clicking the button "${label}"`, () => button.first().click());
    ran(label);
  }

  /** What `find` finds in a frame of ours in each kind of theme, with the theme's name before it. The last theme is the dark one. */
  async inEveryTheme(frame: Frame, find: (frame: Frame) => Promise<string[]>): Promise<string[]> {
    const found: string[] = [];
    for (const theme of ["light", "hc", "hcLight", "dark"] as const) {
      await this.command("Preferences: Color Theme");
      await this.#pick(THEME_NAMES[theme], THEME_NAMES[theme], WAIT);
      const body = frame.locator(`body[data-vscode-theme-kind="${THEME_KINDS[theme]}"]`);
      await this.visible(`the theme ${theme} in the page`, body);
      found.push(...(await find(frame)).map((line) => `${theme}: ${line}`));
    }
    return found;
  }

  /** The frame of the page of ours that is open in an editor, once it has this text. */
  async documentWith(text: string): Promise<Frame> {
    const body = this.page
      .frameLocator("iframe.webview.ready")
      .frameLocator("iframe#active-frame")
      .locator("main");
    await this.visible(`a page with "${text}"`, body.filter({ hasText: text }));
    return (await (await body.elementHandle())!.ownerFrame())!;
  }

  // What happens to windows

  /** Reloads the window: by its own command, or, as a browser does, the page. */
  async reload(by: "command" | "page" = "command"): Promise<void> {
    await this.#load(async () => {
      if (by === "page") return await this.page.reload();
      const loaded = this.page.waitForEvent("load", { timeout: LONG_WAIT });
      await this.command("Developer: Reload Window");
      await loaded;
    });
  }

  /** Another folder in this window, which the workbench in a browser opens by going to its address. */
  async openFolder(folder: string): Promise<void> {
    await this.#load(() =>
      this.page.goto(`${new URL(this.#url).origin}/?${new URLSearchParams({ folder })}`),
    );
  }

  async closePage(): Promise<void> {
    await this.page.close();
  }

  /** Opens the window again after `closePage`. */
  async reopenPage(): Promise<void> {
    this.observe(await this.context.newPage());
    await this.#load(() => this.page.goto(this.#url));
  }

  /** Kills every extension host without warning, and waits for the new ones that VS Code starts. */
  async killExtensionHost(): Promise<void> {
    const hosts = () => this.processes().filter(({ command }) => command.includes("--type=extensionHost"));
    await this.until("an extension host", () => hosts().length);
    const old = hosts().map(({ pid }) => pid);
    for (const pid of old) signal(pid, "SIGKILL");
    await this.until("a new extension host", () => hosts().some(({ pid }) => !old.includes(pid)), LONG_WAIT);
  }

  async #load(navigate: () => Promise<unknown>): Promise<void> {
    await this.act("loading the workbench", navigate);
    await this.visible("the workbench", this.page.locator(SELECTORS.ready).first(), LONG_WAIT);
  }

  /**
   * Fills in the filter (or leaves it) until the row with that label is there, and clicks it. The widget is opened
   * by the keys, again when a window that is still loading takes the focus from it.
   */
  async #pick(filter: string | undefined, label: string, timeout: number, keys?: string): Promise<void> {
    const name = this.page.locator(".label-name").getByText(label, { exact: true });
    const row = this.page.locator(`${SELECTORS.quickInputRow}:visible`).filter({ has: name }).first();
    const input = this.page.locator(SELECTORS.quickInputText);
    let opened = Date.now();
    await this.until(
      `"${label}" in the quick pick`,
      async () => {
        // The palette lists what applied when it opened; what applies since then is in the next one.
        if (keys && Date.now() - opened > REOPEN_MS) await this.press("Escape");
        if (keys && !(await input.isVisible())) {
          opened = Date.now();
          await this.press(keys);
          await input.waitFor({ timeout: 2000 });
        }
        // The workbench may set its own text just after it has opened the widget.
        if (filter !== undefined && (await input.inputValue()) !== filter) await input.fill(filter);
        return await row.isVisible();
      },
      timeout,
    );
    await this.act(`choosing "${label}"`, () => row.click());
  }

  async #closeQuickInput(): Promise<void> {
    const widget = this.page.locator(`${SELECTORS.quickInput}:visible`);
    await this.until("the quick pick to close", async () => {
      if ((await widget.count()) === 0) return true;
      await this.press("Escape");
      return false;
    });
  }
}
