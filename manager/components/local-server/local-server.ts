/** Supervises the local server process: started once, adopted by other windows, replaced when it is of an older version. */

import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { ServerStatus } from "../../../core/api/control-api.ts";
import { type Text, text } from "../../../core/text.ts";
import { isOlder } from "../../../core/version-order.ts";
import { logFile } from "../../../node/log-files.ts";
import { startOf } from "../../../node/process-identity.ts";
import type { ProcessOptions } from "../../model/manager-options.ts";
import { LinkupError, type Problem, problem } from "../../model/problem.ts";
import {
  failed,
  isDue,
  markHealthy,
  markStarted,
  notStarted,
  type Supervised,
} from "../../model/supervision.ts";
import {
  childEnv,
  type Detached,
  endProcess,
  lastLines,
  startDetached,
  waitForEnd,
} from "../../process/child.ts";
import type { Store } from "../../store/store.ts";
import { ControlClient, STATUS_TIMEOUT_MS } from "./control-client.ts";

/**
 * A heap's nursery of 8 MB from the start. V8 begins with 1 MB, in which the requests of a page over HTTP/2 outlive two
 * collections and are copied twice: a quarter of the CPU. It must be set at start: growing the nursery later gains nothing.
 *
 * And one thread for V8's work beside the main one, not four: several functions that are compiled at once take megabytes of malloc's
 * heap, which gives back little of what lies scattered over it. It costs no CPU.
 */
export const V8_OPTIONS = ["--min-semi-space-size=8", "--v8-pool-size=1"];
/**
 * One heap for all threads, where the C library is glibc: with one for each, what a busy time needed stays scattered over
 * them for good. It costs no CPU.
 */
export const MALLOC = { MALLOC_ARENA_MAX: "1" };
/** Start-up takes 100 ms on an idle machine. */
const START_TIMEOUT_MS = 15_000;
const STOP_TIMEOUT_MS = 4_000;
const POLL_MS = 15;
/**
 * A server normally answers within milliseconds. On a laptop under load it may stall for seconds, and killing it would cut
 * its WebSockets and move its port: only one that is silent for this long hangs, and will hardly obey a signal either.
 */
const HUNG_MS = 8_000;
/** How long one call waits before it is repeated. */
const ASK_MS = 1_000;
/** A call that took this much longer than it may tells that this very process stood still. */
const OWN_STALL_MS = 1_000;
/** Between calls that fail at once. */
const RETRY_MS = 100;
const HUNG_GRACE_MS = 500;

export class LocalServer {
  readonly control: ControlClient;
  readonly logPath: string;
  readonly #options: ProcessOptions;
  readonly #store: Store;

  constructor(options: ProcessOptions, store: Store) {
    this.#options = options;
    this.#store = store;
    this.control = new ControlClient(options.home);
    this.logPath = logFile(options.home, "local-server");
  }

  /**
   * Returns the running server; starts one when none runs and its backoff has passed.
   * Undefined when it does not run now; the state says why. Only in a transaction.
   */
  async ensure(): Promise<ServerStatus | undefined> {
    const running = await this.#persistentlyAsk();
    if (running === "untrusted") return undefined;
    // Only an older process is replaced: windows of two versions would otherwise replace each other's for ever.
    if (running && !isOlder(running.version, this.#options.version)) {
      await this.#change((before) =>
        before.process?.pid === running.pid ? markHealthy(before, Date.now()) : before,
      );
      return running;
    }
    if (running) {
      this.#options.log(
        `The local server is of version ${running.version}: replacing it by ${this.#options.version}.`,
      );
      await this.stop();
    }
    const before = (await this.#store.read()).local_server;
    if (before.process) {
      // The process should run and does not answer. Two must never run, so one that only hangs is killed.
      await endProcess(before.process, HUNG_GRACE_MS);
      await this.#fail(text("The process ended unexpectedly."));
    }
    return isDue((await this.#store.read()).local_server, Date.now()) ? this.#start() : undefined;
  }

  /** Stops the server and waits for its exit. Does nothing without one. */
  async stop(): Promise<void> {
    await this.end();
    await this.#change(notStarted);
  }

  /** Like `stop`, without updating the state. */
  async end(): Promise<void> {
    const status = await this.#answering(STATUS_TIMEOUT_MS);
    if (status) {
      const id = { pid: status.pid, started: (await startOf(status.pid)) ?? "" };
      await this.control.stop();
      if (!(await waitForEnd(id, STOP_TIMEOUT_MS))) await endProcess(id, 0);
      this.#options.log(`Stopped the local server (pid ${id.pid}).`);
    } else {
      const { process } = (await this.#store.read()).local_server;
      if (process) await endProcess(process, HUNG_GRACE_MS);
    }
  }

  /**
   * Asks until the server answers or has been silent for too long. A machine that slept or was busy stops this process too:
   * only the time in which it ran counts.
   */
  async #persistentlyAsk(): Promise<ServerStatus | "untrusted" | undefined> {
    for (let silentMs = 0; silentMs < HUNG_MS; ) {
      const asked = performance.now();
      try {
        return await this.control.status(ASK_MS);
      } catch (error) {
        if (error instanceof LinkupError) return this.#refuse(error);
        const tookMs = performance.now() - asked;
        if (tookMs < ASK_MS + OWN_STALL_MS) silentMs += Math.max(tookMs, RETRY_MS);
        if (silentMs >= HUNG_MS)
          this.#options.log(`The local server does not answer: ${(error as Error).message}`);
        else if (tookMs < RETRY_MS) await delay(RETRY_MS);
      }
    }
    return undefined;
  }

  /** Another user may be listening in its place: none is started until that is over. */
  async #refuse({ problem }: LinkupError): Promise<"untrusted"> {
    this.#options.log(problem.message);
    await this.#change((before) => ({ ...before, problem, retry_at: 0 }));
    return "untrusted";
  }

  async #answering(patienceMs?: number): Promise<ServerStatus | undefined> {
    try {
      return await this.control.status(patienceMs);
    } catch (error) {
      if (error instanceof LinkupError) throw error;
      this.#options.log(`The local server does not answer: ${(error as Error).message}`);
      return undefined;
    }
  }

  async #start(): Promise<ServerStatus | undefined> {
    const { home, dist, node, env, log } = this.#options;
    const child = await startDetached(
      node ?? process.execPath,
      [...V8_OPTIONS, join(dist, "local-server.js"), "--home", home],
      {
        cwd: home,
        env: childEnv(env, { ...MALLOC, ELECTRON_RUN_AS_NODE: "1", LINKUP_HOME: home }),
        output: this.logPath,
      },
      (id) => this.#change((before) => markStarted(before, id, Date.now())),
    );
    const status = await this.#ready(child);
    if (!status) return undefined;
    log(
      `Started the local server (pid ${status.pid}, browser port ${status.browser_port}, tunnel port ${status.tunnel_port}).`,
    );
    await this.#change((before) => markHealthy(before, Date.now()));
    return status;
  }

  async #ready(child: Detached): Promise<ServerStatus | undefined> {
    const until = performance.now() + START_TIMEOUT_MS;
    while (child.ended === undefined && performance.now() < until) {
      const status = await this.control.status().catch(() => undefined);
      if (status?.pid === child.id.pid) return status;
      await delay(POLL_MS);
    }
    await endProcess(child.id);
    await this.#fail(
      child.ended
        ? text("The process ended with {0}.", child.ended)
        : text("It was not ready after {0} s.", START_TIMEOUT_MS / 1000),
    );
    return undefined;
  }

  async #fail(why: Text): Promise<void> {
    const lines = await lastLines(this.logPath);
    const found: Problem = problem(
      "local-server-failed",
      lines
        ? text("{0} Its last lines:\n{1}", why, lines)
        : text("{0} It wrote nothing to {1}.", why, this.logPath),
      [{ command: "showLogs", title: "Show Logs", terminal: "linkup logs local-server" }],
    );
    this.#options.log(`The local server: ${found.message}`);
    await this.#change((before) => failed(before, found, Date.now()));
  }

  async #change(next: (before: Supervised) => Supervised): Promise<void> {
    await this.#store.change((state) => {
      state.local_server = next(state.local_server);
    });
  }
}
