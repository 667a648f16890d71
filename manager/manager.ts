/** The life of sessions on this machine: what the extension and the command line talk to. */
import { type FSWatcher, mkdirSync, watch } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { Target } from "../core/config/config.ts";
import type { Explanation } from "../core/control.ts";
import { nameProblem } from "../core/names.ts";
import { explain } from "./explain.ts";
import { HealthBook } from "./health.ts";
import { type Observed, probesOf, problemOfRecord, sessionView, snapshotOf } from "./observe.ts";
import { LinkupError, type Problem, problem, problemOf } from "./problem.ts";
import { readConfig, workerToken } from "./session/config-file.ts";
import { Reconciler, troubleOf } from "./session/reconcile.ts";
import {
  findRunning,
  isConnected,
  isPresent,
  isWanted,
  needsThisMachine,
  ownRecord,
  type Selector,
} from "./session/records.ts";
import { withoutToken } from "./session/routing.ts";
import type { SessionView, Snapshot } from "./snapshot.ts";
import { emptyState, type SessionRecord } from "./state/state.ts";
import { Store } from "./state/store.ts";

export interface ManagerOptions {
  /** The folder that holds all state, absolute. */
  home: string;
  /** The folder with `local-server.js` and `cli.js`. */
  dist: string;
  /** What runs them, with `ELECTRON_RUN_AS_NODE=1`; default `process.execPath`. */
  node?: string;
  /** Ours; a local server of an older version is replaced. */
  version: string;
  env: NodeJS.ProcessEnv;
  /** Who needs the sessions: a window, whose lease is renewed, or a terminal that left (`keep`). */
  user: { id: string; keep: boolean };
  /** The editor's secret storage, asked first; then LINKUP_WORKER_TOKEN, then the file. */
  token?(workerUrl: string): Promise<string | undefined>;
  log(line: string): void;
}

export type { Selector };

export interface StartRequest {
  configPath: string;
  /** Default: tunneled. */
  kind?: "tunneled" | "isolated";
  /** The name to ask for; default: the one this file had, or a fresh one. */
  name?: string;
}

/** How often what runs is compared with what is wanted. */
const TICK_MS = 2_000;
const HEALTH_MS = 10_000;
/** How long a start waits for the tunnel. Afterwards it may still come. */
const CONNECT_MS = 50_000;
const POLL_MS = 100;
/** A tunnel that failed so often in a row will not come within the time of a start. */
const HOPELESS = 3;
/** A lease outlives some missed renewals. */
const LEASE_MS = 15_000;
const RENEW_MS = 4_000;

export class Manager {
  readonly #options: ManagerOptions;
  readonly #store: Store;
  readonly #reconciler: Reconciler;
  readonly #health = new HealthBook();
  readonly #listeners = new Set<(snapshot: Snapshot) => void>();
  /** Problems of files that were saved with errors, by path. */
  readonly #fileProblems = new Map<string, Problem>();
  #snapshot: Snapshot = { sessions: [], components: [], problems: [] };
  #watching: { timer: NodeJS.Timeout; files: FSWatcher | undefined } | undefined;
  #probedAt = Number.NEGATIVE_INFINITY;
  #renewedAt = Number.NEGATIVE_INFINITY;
  #ticking: Promise<void> | undefined;
  #again = false;
  #seen: Pick<Observed, "state" | "server"> = { state: emptyState(), server: undefined };

  constructor(options: ManagerOptions) {
    this.#options = options;
    this.#store = new Store(options.home);
    this.#reconciler = new Reconciler(options, this.#store);
  }

  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  /** Called with each new snapshot. */
  onDidChange(listener: (snapshot: Snapshot) => void): { dispose(): void } {
    this.#listeners.add(listener);
    return { dispose: () => void this.#listeners.delete(listener) };
  }

  /** Keeps the sessions as they are wanted until `dispose`: for windows and terminals that stay. */
  watch(): void {
    if (this.#watching) return;
    const timer = setInterval(() => this.#tick(), TICK_MS);
    this.#watching = { timer, files: this.#watchState() };
    this.#tick();
  }

  /** Starts the session of this file, or adopts the one that runs. Rejects with a LinkupError. */
  async start(
    { configPath, kind = "tunneled", name }: StartRequest,
    signal?: AbortSignal,
  ): Promise<SessionView> {
    const wrongName = name === undefined ? undefined : nameProblem(name);
    if (wrongName) throw new LinkupError("name-invalid", wrongName);
    const config = await readConfig(configPath);
    const { env, token, user } = this.#options;
    const workerSecret =
      kind === "tunneled" ? await workerToken(config, env, token?.bind(this.#options)) : null;

    const { id, adopted } = await this.#store.change((state) => {
      for (const other of state.sessions) {
        if (other.config_path === configPath && other.kind !== kind && !other.beside)
          other.wanted = "stopped";
      }
      const record = ownRecord(state, configPath, kind, config);
      const adopted = isWanted(record) && record.confirmed !== null;
      if (!isWanted(record)) {
        record.since = Date.now();
        record.keep = false;
      }
      record.wanted = "running";
      record.keep ||= user.keep;
      record.config = withoutToken(config);
      record.worker_token = workerSecret;
      record.trouble = null;
      // Sent again even when nothing changed: the Worker may have forgotten the session, or be another version now.
      record.registered = null;
      record.env_files = null;
      if (name !== undefined) record.name = name;
      state.local_server = { ...state.local_server, failures: 0, retry_at: 0, problem: null };
      if (record.connector) record.connector = { ...record.connector, retry_at: 0 };
      return { id: record.id, adopted };
    });
    let abandoned: Promise<void> | undefined;
    const abandon = () => {
      abandoned = this.#end(id);
      // Awaited below, which may be later than it fails.
      abandoned.catch(() => {});
    };
    signal?.addEventListener("abort", abandon, { once: true });
    if (signal?.aborted) abandon();
    try {
      await this.#look();
      await this.#reconcile();
      await this.#connected(id, signal);
      await abandoned;
      signal?.throwIfAborted();
      return await this.#started(id, adopted);
    } finally {
      signal?.removeEventListener("abort", abandon);
    }
  }

  async stop(selector: Selector | "all"): Promise<void> {
    await this.#store.change((state) => {
      const ended = selector === "all" ? state.sessions : [findRunning(state, selector)];
      for (const record of ended) record.wanted = "stopped";
      state.set_aside = null;
    });
    await this.#look();
    await this.#reconcile();
  }

  /** Resolves when the local server and the Worker both follow; else nothing has changed and it rejects. */
  async route(selector: Selector, services: readonly string[] | "all", target: Target): Promise<SessionView> {
    return this.#store.reconciling(async () => {
      const { id, before } = await this.#store.change((state) => {
        const record = findRunning(state, selector);
        const before = record.targets;
        record.targets = { ...before, ...targetsFor(record, services, target) };
        return { id: record.id, before };
      });
      await this.#look();
      try {
        await this.#bringUp(id);
      } catch (error) {
        await this.#rollBack(id, before);
        throw toggleFailed(services, target, error);
      } finally {
        await this.#look();
      }
      return this.#view(id);
    });
  }

  /**
   * Where a request would go while this session and all others run, and why. Rejects with a LinkupError
   * when the session does not run, and with a TypeError when the URL is none.
   */
  async explain(selector: Selector, url: string, headers: Record<string, string>): Promise<Explanation> {
    const state = await this.#store.read();
    findRunning(state, selector);
    return explain(state.sessions.filter(isWanted), url, headers);
  }

  /** The saved file's changes reach the running session; an invalid file changes nothing and becomes a problem. */
  async configChanged(configPath: string): Promise<void> {
    const { sessions } = await this.#store.read();
    if (!sessions.some((record) => record.config_path === configPath && isWanted(record))) {
      this.#fileProblems.delete(configPath);
      return this.#look();
    }
    try {
      const config = await readConfig(configPath);
      this.#fileProblems.delete(configPath);
      await this.#store.change((state) => {
        for (const record of state.sessions) {
          if (record.config_path !== configPath || !isWanted(record)) continue;
          record.config = withoutToken(config);
          record.trouble = null;
        }
      });
      await this.#reconcile();
    } catch (error) {
      this.#fileProblems.set(configPath, problemOf(error, "config-invalid"));
      await this.#look();
    }
  }

  /** What is wanted and what runs, without asking the services. */
  async look(): Promise<Snapshot> {
    await this.#look();
    return this.#snapshot;
  }

  /** Looks at everything anew, the services' health included. */
  async refresh(): Promise<Snapshot> {
    await this.#look();
    await this.#probe(true);
    return this.#snapshot;
  }

  /** Stops watching and gives up a window's lease; what runs goes on for as long as others need it. */
  async dispose(): Promise<void> {
    if (!this.#watching) return;
    clearInterval(this.#watching.timer);
    this.#watching.files?.close();
    this.#watching = undefined;
    this.#listeners.clear();
    await this.#ticking;
    const { control } = this.#reconciler.localServer;
    if (await control.status()) await control.deleteLease(this.#options.user.id);
  }

  /** Waits for the tunnel, as long as there is hope. */
  async #connected(id: string, signal: AbortSignal | undefined): Promise<void> {
    const until = performance.now() + CONNECT_MS;
    while (!signal?.aborted && performance.now() < until) {
      const record = (await this.#store.read()).sessions.find((record) => record.id === id);
      if (!record || !isWanted(record) || record.trouble || isConnected(record)) return;
      if (!record.connector || record.connector.failures >= HOPELESS) return;
      await delay(POLL_MS);
      await this.#reconcile();
    }
  }

  /** The session that was started; rejects with what stands in its way. */
  async #started(id: string, adopted: boolean): Promise<SessionView> {
    const { sessions, local_server } = await this.#store.read();
    const record = sessions.find((record) => record.id === id);
    if (!record || !isWanted(record)) {
      throw new LinkupError("session-stopped", "The session was stopped while it started.");
    }
    const found =
      problemOfRecord(record) ??
      (needsThisMachine(record) ? local_server.problem : null) ??
      (isConnected(record)
        ? null
        : problem(
            "tunnel-failed",
            `cloudflared did not connect to Cloudflare within ${CONNECT_MS / 1000} s.`,
          ));
    if (!found) return this.#view(id);
    // Those who stay keep trying; for those who leave, a failed start leaves nothing.
    if (!this.#watching && !adopted) await this.#end(id);
    throw new LinkupError(found.code, found.message, found.actions);
  }

  async #view(id: string): Promise<SessionView> {
    await this.refresh();
    const { state, server } = this.#seen;
    const record = state.sessions.find((record) => record.id === id);
    if (!record) throw new LinkupError("session-stopped", "The session was stopped meanwhile.");
    return sessionView(record, server, this.#health);
  }

  async #end(id: string): Promise<void> {
    await this.#store.change((state) => {
      for (const record of state.sessions) if (record.id === id) record.wanted = "stopped";
    });
    await this.#reconcile();
  }

  async #rollBack(id: string, targets: Record<string, Target>): Promise<void> {
    await this.#store.change((state) => {
      for (const record of state.sessions) if (record.id === id) record.targets = targets;
    });
    try {
      await this.#bringUp(id);
    } catch (error) {
      await this.#store.change((state) => {
        for (const record of state.sessions) {
          if (record.id === id) record.trouble = troubleOf(error, "worker-failed", record.trouble);
        }
      });
    }
  }

  async #bringUp(id: string): Promise<void> {
    const server = await this.#reconciler.localServer.ensure();
    if (!server) throw new LinkupError("local-server-failed", "The local server does not run.");
    await this.#reconciler.bringUp(id, server);
  }

  async #reconcile(): Promise<void> {
    await this.#store.reconciling(() => this.#reconciler.run());
    await this.#renewLease();
    await this.#look();
  }

  /** One round after the other; a call during a round asks for another one. */
  #tick(): void {
    this.#again = true;
    this.#ticking ??= this.#follow().finally(() => {
      this.#ticking = undefined;
    });
  }

  async #follow(): Promise<void> {
    while (this.#again && this.#watching) {
      this.#again = false;
      try {
        await this.#look();
        if (this.#seen.state.sessions.some(isPresent)) await this.#reconcile();
        await this.#probe(false);
      } catch (error) {
        this.#options.log((error as Error).message);
        this.#show({ ...this.#snapshot, problems: [problemOf(error, "state-unusable")] });
      }
    }
  }

  async #renewLease(): Promise<void> {
    const { user } = this.#options;
    if (user.keep || !this.#watching || performance.now() - this.#renewedAt < RENEW_MS) return;
    const { control } = this.#reconciler.localServer;
    if (!(await control.status())) return;
    await control.putLease(user.id, { ttl_ms: LEASE_MS });
    this.#renewedAt = performance.now();
  }

  /** Shows what is wanted and what runs, with the health last known. */
  async #look(): Promise<void> {
    const state = await this.#store.read();
    this.#seen = { state, server: await this.#reconciler.localServer.control.status() };
    this.#present();
  }

  /** Asks the services how they are, now and then or when one was never asked. */
  async #probe(now: boolean): Promise<void> {
    const probes = probesOf(this.#seen.state);
    const fresh = performance.now() - this.#probedAt < HEALTH_MS;
    if (!now && fresh && probes.every((probed) => this.#health.knows(probed))) return;
    this.#probedAt = performance.now();
    await this.#health.refresh(probes);
    this.#present();
  }

  #present(): void {
    this.#show(
      snapshotOf({ ...this.#seen, health: this.#health, problems: [...this.#fileProblems.values()] }),
    );
  }

  #show(snapshot: Snapshot): void {
    if (JSON.stringify(snapshot) === JSON.stringify(this.#snapshot)) return;
    this.#snapshot = snapshot;
    for (const listener of this.#listeners) listener(snapshot);
  }

  /** Other processes change the state too. Without such a watch the tick sees it, later. */
  #watchState(): FSWatcher | undefined {
    try {
      mkdirSync(this.#options.home, { recursive: true, mode: 0o700 });
      const files = watch(this.#options.home, (_, file) => {
        if (file === "state.json") this.#tick();
      });
      files.on("error", (error) => this.#options.log(`Cannot watch ${this.#options.home}: ${error.message}`));
      return files;
    } catch (error) {
      this.#options.log(`Cannot watch ${this.#options.home}: ${(error as Error).message}`);
      return undefined;
    }
  }
}

function targetsFor(
  record: SessionRecord,
  services: readonly string[] | "all",
  target: Target,
): Record<string, Target> {
  const known = record.config.services.map(({ name }) => name);
  const unknown = services === "all" ? [] : services.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new LinkupError(
      "service-unknown",
      `${unknown.map((name) => `"${name}"`).join(" and ")} is no service of this session. Its services: ${known.join(", ")}.`,
    );
  }
  return Object.fromEntries((services === "all" ? known : services).map((name) => [name, target]));
}

function toggleFailed(services: readonly string[] | "all", target: Target, cause: unknown): LinkupError {
  const { message, actions, code } = problemOf(cause, "toggle-failed");
  if (code === "session-stopped") return cause as LinkupError;
  const what = services === "all" ? "The services stay" : `${services.join(", ")} stays`;
  return new LinkupError("toggle-failed", `${what} where it was, not ${target}: ${message}`, actions, {
    cause,
  });
}
