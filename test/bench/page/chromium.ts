/**
 * Chromium, by its DevTools protocol and nothing else: what drives browsers in tests looks at each request, which takes more
 * time than the requests.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { CHROMIUM_FLAGS, chromium } from "../../e2e/install.ts";

const FLAGS = ["--headless=new", "--remote-debugging-pipe", ...CHROMIUM_FLAGS];

interface Message {
  id?: number;
  method?: string;
  sessionId?: string;
  // biome-ignore lint/suspicious/noExplicitAny: as the protocol has it
  params?: any;
  // biome-ignore lint/suspicious/noExplicitAny: as the protocol has it
  result?: any;
  error?: { message: string };
}

export class Chromium {
  readonly process: ChildProcess;
  readonly #waiting = new Map<number, (message: Message) => void>();
  readonly #reports = new Map<string, (ms: number) => void>();
  #last = 0;

  /** `folder`: for the browser's own folder. */
  constructor(folder: string, flags: string[]) {
    const profile = mkdtempSync(join(folder, "chromium-"));
    // Root has no sandbox to give.
    const sandbox = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
    const args = [...FLAGS, ...sandbox, ...flags, `--user-data-dir=${profile}`];
    this.process = spawn(chromium(), args, { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
    let text = "";
    (this.process.stdio[4] as Readable).setEncoding("utf8").on("data", (piece: string) => {
      const messages = (text + piece).split("\0");
      text = messages.pop()!;
      for (const message of messages) this.#received(JSON.parse(message));
    });
  }

  #received(message: Message): void {
    if (message.id !== undefined) this.#waiting.get(message.id)?.(message);
    else if (message.method === "Runtime.bindingCalled")
      this.#reports.get(message.sessionId!)?.(Number(message.params.payload));
  }

  async #send(method: string, params: object, sessionId?: string): Promise<Message["result"]> {
    const id = ++this.#last;
    const { promise, resolve } = Promise.withResolvers<Message>();
    this.#waiting.set(id, resolve);
    (this.process.stdio[3] as Writable).write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    const { result, error } = await promise;
    this.#waiting.delete(id);
    if (error) throw new Error(`${method}: ${error.message}`);
    return result;
  }

  /** A tab of a new user, with a cache of its own. */
  async newTab(): Promise<Tab> {
    const { browserContextId } = await this.#send("Target.createBrowserContext", {});
    const { targetId } = await this.#send("Target.createTarget", { url: "about:blank", browserContextId });
    const { sessionId } = await this.#send("Target.attachToTarget", { targetId, flatten: true });
    const send = (method: string, params: object = {}) => this.#send(method, params, sessionId);
    await send("Runtime.enable");
    await send("Runtime.addBinding", { name: "reportMs" });
    await send("Page.enable");
    const source = "window.finished = () => reportMs(String(performance.now()))";
    await send("Page.addScriptToEvaluateOnNewDocument", { source });
    const timed = async (method: string, params: object, timeoutMs: number): Promise<number> => {
      const { promise, resolve, reject } = Promise.withResolvers<number>();
      const timer = setTimeout(
        () => reject(new Error(`The page did not load in ${timeoutMs} ms.`)),
        timeoutMs,
      );
      this.#reports.set(sessionId, resolve);
      await send(method, params);
      return promise.finally(() => clearTimeout(timer));
    };
    return {
      visit: (url, timeoutMs) => timed("Page.navigate", { url }, timeoutMs),
      reload: (timeoutMs) => timed("Page.reload", {}, timeoutMs),
      close: async () => {
        this.#reports.delete(sessionId);
        await this.#send("Target.disposeBrowserContext", { browserContextId });
      },
    };
  }

  async close(): Promise<void> {
    const ended = once(this.process, "exit");
    await this.#send("Browser.close", {});
    await ended;
  }
}

/** `visit` and `reload`: milliseconds from the beginning until the page calls `window.finished`. */
export interface Tab {
  visit(url: string, timeoutMs: number): Promise<number>;
  reload(timeoutMs: number): Promise<number>;
  close(): Promise<void>;
}
