/**
 * The output channels: "Linkup" with what happens to sessions, no matter who does it, and one for each component, which follows its
 * log file. They are made when there is something in them.
 */
import { type FSWatcher, watch } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import * as vscode from "vscode";
import type { ComponentId } from "../manager/model/snapshot.ts";
import { type LoggedComponent, logFolder, logNameOf } from "../node/log-files.ts";
import { LogTail } from "../node/log-tail.ts";
import { componentName } from "./labels.ts";
import type { Linkup } from "./linkup.ts";
import { eventsBetween } from "./views/session-events.ts";
import { t } from "./words.ts";

export type LogSource = ComponentId | LoggedComponent;

/** Coalesces what is written at once. */
const COALESCE_MS = 100;
/** Lines that were written just now have their time from the channel. */
const JUST_NOW_MS = 5_000;

export class LogChannels implements vscode.Disposable {
  readonly #linkup: Linkup;
  readonly #folder: string;
  readonly #channels = new Map<LogSource, vscode.LogOutputChannel>();
  readonly #tails = new Map<string, LogTail>();
  readonly #listening: vscode.Disposable;
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  #reading: Promise<void> = Promise.resolve();
  #last = { sessions: [], components: [], problems: [] } as Linkup["model"]["snapshot"];

  constructor(linkup: Linkup, home: string) {
    this.#linkup = linkup;
    this.#folder = logFolder(home);
    this.#listening = linkup.onDidChange(() => this.#changed());
  }

  /** Without a source: what happens to sessions. */
  async show(source?: LogSource): Promise<void> {
    if (source === undefined) return this.#linkup.log.show();
    const channel = this.#channel(source);
    await this.#read();
    channel.show();
  }

  /** The sources that have something to show. */
  async sources(): Promise<LogSource[]> {
    const files = (await this.#files()).map(({ component }) => component);
    const running = this.#last.components.filter(({ state }) => state !== "stopped").map(({ id }) => id);
    return [...new Set<LogSource>([...running, ...files])];
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#watcher?.close();
    this.#listening.dispose();
    for (const channel of this.#channels.values()) channel.dispose();
  }

  #changed(): void {
    const { snapshot } = this.#linkup.model;
    if (snapshot === this.#last) return;
    const events = eventsBetween(this.#last, snapshot);
    this.#last = snapshot;
    for (const { level, text, component } of events) {
      this.#linkup.log[level](text);
      if (component) this.#channel(component)[level](text);
    }
  }

  #channel(source: LogSource): vscode.LogOutputChannel {
    let channel = this.#channels.get(source);
    if (!channel) {
      channel = vscode.window.createOutputChannel(`Linkup: ${sourceName(source)}`, { log: true });
      this.#channels.set(source, channel);
      this.#follow();
    }
    return channel;
  }

  #follow(): void {
    this.#soon();
    if (this.#watcher) return;
    try {
      this.#watcher = watch(this.#folder, () => this.#soon());
      this.#watcher.on("error", (error) => this.#linkup.log.error(error));
    } catch {
      // There is no such folder before the first session: the next channel tries again.
    }
  }

  #soon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#read();
    }, COALESCE_MS);
  }

  /** Reads what is new in the logs of the channels there are. */
  #read(): Promise<void> {
    this.#reading = this.#reading
      .then(() => this.#readAll())
      .catch((error: Error) => this.#linkup.log.error(error));
    return this.#reading;
  }

  async #readAll(): Promise<void> {
    for (const { file, component, session } of await this.#files()) {
      const channel = this.#channels.get(component);
      if (!channel) continue;
      const tail = this.#tails.get(file) ?? new LogTail(join(this.#folder, file));
      this.#tails.set(file, tail);
      const text = await tail.more(false);
      for (const line of text.split("\n")) {
        if (line === "") continue;
        const { level, words } = read(line);
        channel[level](session === undefined ? words : `[${session}] ${words}`);
      }
    }
  }

  async #files() {
    const names = await readdir(this.#folder).catch((): string[] => []);
    return names.sort().flatMap((file) => {
      const log = logNameOf(file);
      return log ? [{ file, ...log }] : [];
    });
  }
}

export function sourceName(source: LogSource): string {
  return source === "keeper" ? t("Keeper") : componentName(source);
}

const LEVELS: Record<string, "debug" | "info" | "warn" | "error"> = {
  debug: "debug",
  warn: "warn",
  error: "error",
  fatal: "error",
};

/** A line of ours is a time and a message; one of cloudflared is JSON. */
function read(line: string): { level: "debug" | "info" | "warn" | "error"; words: string } {
  const [, time, message] = /^(\d{4}-\d\d-\d\dT\S+Z) (.*)$/.exec(line) ?? [];
  if (time !== undefined) return { level: levelOf(message!), words: timed(message!, time) };
  try {
    const { level, time, message, ...more } = JSON.parse(line) as Record<string, unknown>;
    const facts = Object.entries(more).map(([name, value]) => `${name}=${value}`);
    const words = [message, ...facts].filter(Boolean).join(" ");
    return { level: LEVELS[String(level)] ?? "info", words: timed(words, String(time)) };
  } catch {
    return { level: levelOf(line), words: line };
  }
}

function levelOf(message: string): "info" | "error" {
  return /^error\b|^cannot\b/i.test(message) ? "error" : "info";
}

/** With its own time, where that is not now. */
function timed(words: string, time: string): string {
  return Math.abs(Date.now() - Date.parse(time)) < JUST_NOW_MS ? words : `${time} ${words}`;
}
