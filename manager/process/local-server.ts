/** The local server as a process: started once, adopted by everyone else, replaced when it is of an older version. */
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { ServerStatus } from "../../core/control.ts";
import { LinkupError } from "../problem.ts";
import type { Store } from "../state/store.ts";
import { childEnv, type Detached, endProcess, lastLines, startDetached, waitForEnd } from "./child.ts";
import { ControlClient } from "./control-client.ts";
import { startOf } from "./identity.ts";

/** It listens within 100 ms on an idle machine. */
const START_TIMEOUT_MS = 15_000;
const STOP_TIMEOUT_MS = 5_000;
const POLL_MS = 15;

export interface LocalServerOptions {
  home: string;
  dist: string;
  node?: string;
  version: string;
  env: NodeJS.ProcessEnv;
  log(line: string): void;
}

export class LocalServer {
  readonly control: ControlClient;
  readonly logPath: string;
  readonly #options: LocalServerOptions;
  readonly #store: Store;

  constructor(options: LocalServerOptions, store: Store) {
    this.#options = options;
    this.#store = store;
    this.control = new ControlClient(options.home);
    this.logPath = join(options.home, "logs", "local-server.log");
  }

  /** The one that runs; started when there is none. Only under the reconcile lock. */
  async ensure(): Promise<ServerStatus> {
    const running = await this.#answering();
    if (running && !isOlder(running.version, this.#options.version)) return running;
    if (running) {
      this.#options.log(
        `The local server is of version ${running.version}: replacing it by ${this.#options.version}.`,
      );
      await this.stop();
    } else {
      await this.#endSilent();
    }
    return this.#start();
  }

  /** Ends it, and waits until it is gone. Without a local server it does nothing. */
  async stop(): Promise<void> {
    const status = await this.#answering();
    if (status) {
      const id = { pid: status.pid, started: (await startOf(status.pid)) ?? "" };
      await this.control.stop();
      if (!(await waitForEnd(id, STOP_TIMEOUT_MS))) await endProcess(id, 0);
      this.#options.log(`Stopped the local server (pid ${id.pid}).`);
    } else {
      await this.#endSilent();
    }
    await this.#remember(null);
  }

  async #answering(): Promise<ServerStatus | undefined> {
    try {
      return await this.control.status();
    } catch (error) {
      this.#options.log(`The local server does not answer: ${(error as Error).message}`);
      return undefined;
    }
  }

  /** Ends the one we know of that runs and does not answer: two must never run. */
  async #endSilent(): Promise<void> {
    const { local_server } = await this.#store.read();
    if (local_server) await endProcess(local_server);
  }

  async #start(): Promise<ServerStatus> {
    const { home, dist, node, env, log } = this.#options;
    const child = await startDetached(
      node ?? process.execPath,
      [join(dist, "local-server.js"), "--home", home],
      {
        cwd: home,
        env: childEnv(env, { ELECTRON_RUN_AS_NODE: "1", LINKUP_HOME: home }),
        log: this.logPath,
      },
    );
    await this.#remember(child.id);
    const status = await this.#ready(child);
    log(
      `Started the local server (pid ${status.pid}, browser port ${status.browser_port}, tunnel port ${status.tunnel_port}).`,
    );
    return status;
  }

  async #ready(child: Detached): Promise<ServerStatus> {
    const until = performance.now() + START_TIMEOUT_MS;
    while (child.ended === undefined && performance.now() < until) {
      const status = await this.control.status().catch(() => undefined);
      if (status?.pid === child.id.pid) return status;
      await delay(POLL_MS);
    }
    const why = child.ended
      ? `it ended with ${child.ended}`
      : `it was not ready after ${START_TIMEOUT_MS / 1000} s`;
    await endProcess(child.id);
    await this.#remember(null);
    const lines = await lastLines(this.logPath);
    throw new LinkupError(
      "local-server-failed",
      `The local server did not start: ${why}.${lines ? ` Its last lines:\n${lines}` : ` It wrote nothing to ${this.logPath}.`}`,
      [{ command: "showLogs", title: "Show Logs", terminal: "linkup logs local-server" }],
    );
  }

  async #remember(id: Detached["id"] | null): Promise<void> {
    await this.#store.change((state) => {
      state.local_server = id;
    });
  }
}

/** By the numbers of `1.20.3`. A newer one stays: windows of two versions would else replace each other's for ever. */
export function isOlder(version: string, than: string): boolean {
  const [a, b] = [version, than].map((text) => text.split(/[.+-]/, 3).map(Number)) as [number[], number[]];
  for (const [i, part] of b.entries()) {
    const difference = (a[i] ?? 0) - part;
    if (difference !== 0) return difference < 0;
  }
  return false;
}
