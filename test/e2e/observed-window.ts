// A window of VS Code in which every wait ends: with what was waited for, or with an error that says what the
// window shows instead, what its console and the server's logs say, and where its picture is.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Locator, Page } from "playwright-core";
import { root } from "./install.ts";
import { describe } from "./screen.ts";
import type { Server } from "./server.ts";

const PICTURES = join(root, "test-results", "vscode");
/** For what the workbench does by itself, in ms, on a busy machine. */
export const WAIT = 20_000;
/** For what waits for an extension host to start. */
export const LONG_WAIT = 60_000;

type Truthy<T> = Exclude<T, false | 0 | "" | null | undefined>;

export class ObservedWindow {
  readonly server: Server;
  /** The browser's page, for what the tests have no word for. */
  page!: Page;
  #console: string[] = [];
  #failures = 0;

  constructor(server: Server, page: Page) {
    this.server = server;
    this.observe(page);
  }

  /** Makes that page the one of this window. */
  protected observe(page: Page): void {
    this.page = page;
    page.setDefaultTimeout(WAIT);
    page.on("console", (message) => {
      // What the workbench logs for its own makers is no help here.
      const [line = ""] = message.text().split("\n");
      if (!/^%c INFO|Canceled: Canceled/.test(line)) this.#console.push(`${message.type()}: ${line}`);
    });
    page.on("pageerror", (error) => this.#console.push(`error: ${error.message}`));
  }

  /** Saves a picture as `test-results/vscode/<name>.png` and returns its path. */
  async screenshot(name: string): Promise<string> {
    mkdirSync(PICTURES, { recursive: true });
    const path = join(PICTURES, `${name}.png`);
    await this.page.screenshot({ path });
    return path;
  }

  /** Returns the first truthy value of `probe`. Fails after `timeout` ms. */
  async until<T>(what: string, probe: () => T | Promise<T>, timeout = WAIT): Promise<Truthy<T>> {
    const end = Date.now() + timeout;
    for (let thrown: unknown; ; await sleep(50)) {
      try {
        const value = await probe();
        if (value) return value as Truthy<T>;
        thrown = undefined;
      } catch (error) {
        // The window may be reloading right now; the last error becomes the cause.
        thrown = error;
      }
      if (Date.now() > end) throw await this.#failure(`Waited ${timeout / 1000} s for ${what}.`, thrown);
    }
  }

  protected async visible(what: string, locator: Locator, timeout = WAIT): Promise<void> {
    await this.act(`waiting for ${what}`, () => locator.waitFor({ state: "visible", timeout }));
  }

  /** Runs an action that has a time limit of its own. */
  protected async act(what: string, action: () => Promise<unknown>): Promise<void> {
    try {
      await action();
    } catch (error) {
      throw await this.#failure(`Failed at ${what}.`, error);
    }
  }

  async #failure(what: string, cause: unknown): Promise<Error> {
    if (this.page.isClosed()) return new Error(`${what}\nThe page is closed.`, { cause });
    this.#failures += 1;
    const picture = await this.screenshot(`failure-${process.pid}-${Date.now()}-${this.#failures}`);
    const parts = [
      what,
      await describe(this.page),
      `--- console\n${this.#console.slice(-15).join("\n")}`,
      this.server.logs(),
      `--- picture: ${picture}`,
    ];
    return new Error(parts.join("\n"), { cause });
  }
}
