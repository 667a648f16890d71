/** The life of sessions on this machine: what the extension and the command line talk to. */
import { existsSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { Config, Target } from "../core/config/config.ts";
import type { Explanation } from "../core/control.ts";
import { nameProblem } from "../core/names.ts";
import type { Examined } from "./doctor/doctor.ts";
import type { HealthReport } from "./doctor/report.ts";
import { explain } from "./explain.ts";
import { problemOfRecord } from "./observe.ts";
import { Observer } from "./observer.ts";
import { LinkupError, type Problem, problem, problemOf } from "./problem.ts";
import { endProcess, waitForEnd } from "./process/child.ts";
import type { RequestLog } from "./process/control-client.ts";
import {
  type Wanted,
  wantBeside,
  wantConfig,
  wantStarted,
  wantStopped,
  wantTarget,
} from "./session/changes.ts";
import { readConfig, workerToken } from "./session/config-file.ts";
import { previewRequest } from "./session/preview.ts";
import { Reconciler } from "./session/reconcile.ts";
import {
  findRunning,
  forgetUnused,
  isConnected,
  isPresent,
  isWanted,
  needsThisMachine,
  type Selector,
} from "./session/records.ts";
import { WorkerClient } from "./session/worker-client.ts";
import type { ComponentId, SessionView, Snapshot } from "./snapshot.ts";
import type { SessionRecord, State } from "./state/state.ts";
import { Store } from "./state/store.ts";
import { Watcher } from "./watcher.ts";

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

/** A session beside the file's own one. */
export interface CreateRequest {
  configPath: string;
  kind: "preview" | "isolated";
  /** Default: a preview's comes from its content, an isolated one's is random. */
  name?: string;
  /** Where services are, by name, instead of what the file says. */
  locations: Record<string, string>;
}

/** A lease outlives some missed renewals. */
const LEASE_MS = 15_000;
const RENEW_MS = 4_000;
/** How long a start waits for the tunnel. Afterwards it may still come. */
const CONNECT_MS = 50_000;
const POLL_MS = 100;
/** The keeper ends by itself within a moment. */
const KEEPER_END_MS = 5_000;
/** A tunnel that failed so often in a row will not come within the time of a start. */
const HOPELESS = 3;

export class Manager {
  readonly #options: ManagerOptions;
  readonly #store: Store;
  readonly #reconciler: Reconciler;
  readonly #observer: Observer;
  readonly #watcher: Watcher;
  #renewedAt = Number.NEGATIVE_INFINITY;

  constructor(options: ManagerOptions) {
    this.#options = options;
    this.#store = new Store(options.home);
    this.#reconciler = new Reconciler(options, this.#store);
    this.#watcher = new Watcher(options.home, () => this.#round(), options.log);
    this.#observer = new Observer(this.#store, this.#reconciler.localServer.control, options.version);
  }

  get snapshot(): Snapshot {
    return this.#observer.snapshot;
  }

  /** What the local server remembers of the requests that came. */
  get requestLog(): RequestLog {
    return this.#reconciler.localServer.control;
  }

  /** Called with each new snapshot. */
  onDidChange(listener: (snapshot: Snapshot) => void): { dispose(): void } {
    return this.#observer.onDidChange(listener);
  }

  /** Keeps the sessions as they are wanted until `dispose`: for windows and terminals that stay. */
  watch(): void {
    this.#watcher.start();
  }

  /** Starts the session of this file, or adopts the one that runs. Rejects with a LinkupError. */
  async start(
    { configPath, kind = "tunneled", name }: StartRequest,
    signal?: AbortSignal,
  ): Promise<SessionView> {
    const wanted = await this.#wanted(configPath, name, kind === "tunneled");
    return this.#begin((state) => {
      forgetUnused(state, Date.now(), existsSync);
      return wantStarted(state, kind, wanted, Date.now());
    }, signal);
  }

  /** Creates a session beside the file's own one, or changes it. Rejects with a LinkupError. */
  async create(
    { configPath, kind, name, locations }: CreateRequest,
    signal?: AbortSignal,
  ): Promise<SessionView> {
    const wanted = await this.#wanted(configPath, name, kind === "preview");
    return this.#begin((state) => wantBeside(state, kind, wanted, locations, Date.now()), signal);
  }

  /** What `create` would send to the Worker for a preview, without sending it. */
  async previewRequest({ configPath, name, locations }: Omit<CreateRequest, "kind">): Promise<unknown> {
    return previewRequest(await readConfig(configPath), name, locations);
  }

  /** Where the state cannot be written, what runs is ended all the same, and it rejects with a LinkupError that says so. */
  async stop(selector: Selector | "all"): Promise<void> {
    try {
      await this.#stopping((state) => wantStopped(state, selector));
    } catch (error) {
      if (!(error instanceof LinkupError && error.problem.code === "state-unusable")) throw error;
      const state = await this.#store.read();
      const ended = selector === "all" ? state.sessions.filter(isPresent) : [findRunning(state, selector)];
      const { stopUnwritten } = await import("./session/stop-unwritten.ts");
      await stopUnwritten(this.#reconciler, state, ended, error);
    }
  }

  /** Env files that still have the block of a session that ended, since they could not be written. It is tried again. */
  async envFilesLeft(): Promise<string[]> {
    const { sessions } = await this.#store.read();
    const entries = await this.#reconciler.life.envFiles.entries();
    const ended = entries.filter(
      ({ sessions: users }) => !sessions.some((record) => users.includes(record.id) && isWanted(record)),
    );
    return ended.map(({ path }) => path);
  }

  /**
   * Deletes a session of this machine or, where it is none, one of the Worker that this file names. `*` stands for anything.
   * Returns the names of what is gone. Rejects with a LinkupError when there is none.
   */
  async remove(pattern: string, configPath: string | undefined): Promise<string[]> {
    const names = (await this.#store.read()).sessions.filter(isPresent).flatMap(({ name }) => name ?? []);
    const here = names.filter(matcher(pattern));
    for (const name of here) await this.stop({ name });
    if (here.length > 0 && !pattern.includes("*")) return here;
    const there =
      configPath === undefined
        ? []
        : await this.#removeThere(pattern, await this.#wanted(configPath, undefined, true));
    if (here.length + there.length > 0) return [...here, ...there];
    throw new LinkupError(
      "session-unknown",
      `There is no session "${pattern}", neither here nor on the Worker.`,
    );
  }

  async #removeThere(pattern: string, { config, workerToken }: Wanted): Promise<string[]> {
    const worker = new WorkerClient(config.linkup.worker_url, workerToken ?? "");
    const { capabilities = [] } = (await worker.capabilities()) ?? {};
    if (!capabilities.includes("delete-by-pattern")) {
      throw new LinkupError(
        "worker-failed",
        `The Worker at ${worker.url} cannot delete sessions: they expire there.`,
        [{ command: "deployWorker", title: "Redeploy Worker", terminal: "linkup infra deploy" }],
      );
    }
    return worker.deleteSessions(pattern);
  }

  /** Resolves when the local server and the Worker both follow; else nothing has changed and it rejects. */
  async route(selector: Selector, services: readonly string[] | "all", target: Target): Promise<SessionView> {
    return this.#store.reconciling(async () => {
      const { id, before } = await this.#store.change((state) =>
        wantTarget(state, selector, services, target),
      );
      await this.#observer.look();
      try {
        await this.#follow(id);
      } catch (error) {
        await this.#rollBack(id, before);
        await this.#observer.look();
        throw toggleFailed(services, target, error);
      }
      return this.#observer.session(id);
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
      this.#observer.tell(configPath, null);
      return;
    }
    let config: Config;
    try {
      config = await readConfig(configPath);
    } catch (error) {
      this.#observer.tell(configPath, problemOf(error, "config-invalid"));
      return;
    }
    this.#observer.tell(configPath, null);
    await this.#store.change((state) => wantConfig(state, configPath, config));
    await this.#reconcile();
  }

  /** What is wanted and what runs, without asking the services. */
  async look(): Promise<Snapshot> {
    await this.#observer.look();
    return this.snapshot;
  }

  /** Looks at everything anew, the services' health included. `patienceMs`: no service is waited for any longer. */
  async refresh(patienceMs?: number): Promise<Snapshot> {
    await this.#observer.look();
    await this.#observer.probe("now", patienceMs);
    return this.snapshot;
  }

  /** Looks at everything that sessions depend on. `configPath`: of a file that matters though it may not run. */
  async health(configPath?: string): Promise<HealthReport> {
    const { examine } = await import("./doctor/doctor.ts");
    return examine(await this.#examined(configPath));
  }

  /** Ends processes of ours that nobody needs; returns their pids. */
  async endOrphans(): Promise<number[]> {
    const { endOrphans } = await import("./doctor/doctor.ts");
    return this.#store.reconciling(async () => endOrphans(await this.#examined(undefined)));
  }

  /** Ends what runs here of this kind, and starts it anew where it is wanted. */
  async restart(component: ComponentId): Promise<void> {
    const { localServer, localDns, life } = this.#reconciler;
    await this.#store.reconciling(async () => {
      if (component === "local-server") await localServer.stop();
      if (component === "local-dns") await localDns.stop();
      if (component === "tunnel") await life.disconnect();
    });
    await this.#reconcile();
  }

  /** Stops watching and gives up a window's lease; what runs goes on for as long as others need it. */
  async dispose(): Promise<void> {
    if (!this.#watcher.isRunning) return;
    await this.#watcher.stop();
    const { control } = this.#reconciler.localServer;
    if (await control.status()) await control.deleteLease(this.#options.user.id);
  }

  async #examined(configPath: string | undefined): Promise<Examined> {
    const { home, version, env } = this.#options;
    const snapshot = await this.refresh();
    return { home, version, env, snapshot, configPath, ...this.#observer.seen };
  }

  async #wanted(configPath: string, name: string | undefined, needsWorker: boolean): Promise<Wanted> {
    const wrong = name === undefined ? undefined : nameProblem(name);
    if (wrong) throw new LinkupError("name-invalid", wrong);
    const config = await readConfig(configPath);
    const { env, token, user } = this.#options;
    const secret = needsWorker ? await workerToken(config, env, token?.bind(this.#options)) : null;
    return { configPath, config, workerToken: secret, name, keep: user.keep };
  }

  /** Makes a session run that was not wanted before, and waits for it. */
  async #begin(
    change: (state: State) => { id: string; adopted: boolean },
    signal: AbortSignal | undefined,
  ): Promise<SessionView> {
    signal?.throwIfAborted();
    const { id, adopted } = await this.#store.change(change);
    let abandoned: Promise<void> | undefined;
    const abandon = () => {
      abandoned = this.#end(id);
      // Awaited below, which may be later than it fails.
      abandoned.catch(() => {});
    };
    signal?.addEventListener("abort", abandon, { once: true });
    // It may have come while the state was written.
    if (signal?.aborted) abandon();
    try {
      await this.#observer.look();
      await this.#reconcile();
      await this.#connected(id, signal);
      await abandoned;
      signal?.throwIfAborted();
      return await this.#begun(id);
    } catch (error) {
      // Those who stay keep trying what may come; for those who leave, a failed start leaves nothing.
      const staying = this.#watcher.isRunning && problemOf(error, "worker-failed").code !== "name-taken";
      if (!staying && !adopted && !signal?.aborted)
        await this.#end(id).catch((later: Error) => this.#options.log(later.message));
      throw error;
    } finally {
      signal?.removeEventListener("abort", abandon);
    }
  }

  /** Waits for the tunnel, as long as there is hope. */
  async #connected(id: string, signal: AbortSignal | undefined): Promise<void> {
    const until = performance.now() + CONNECT_MS;
    while (!signal?.aborted && performance.now() < until) {
      const record = await this.#record(id);
      if (!record || !isWanted(record) || record.trouble || isConnected(record)) return;
      if (!record.connector || record.connector.failures >= HOPELESS) return;
      await delay(POLL_MS);
      await this.#reconcile();
    }
  }

  /** The session that was started; rejects with what stands in its way. */
  async #begun(id: string): Promise<SessionView> {
    const record = await this.#record(id);
    if (!record || !isWanted(record)) {
      throw new LinkupError("session-stopped", "The session was stopped while it started.");
    }
    const found = await this.#standsInTheWay(record);
    if (!found) return this.#observer.session(id);
    throw new LinkupError(found.code, found.message, found.actions);
  }

  async #standsInTheWay(record: SessionRecord): Promise<Problem | null> {
    const own = problemOfRecord(record);
    if (own || !needsThisMachine(record)) return own;
    const { local_server } = await this.#store.read();
    if (local_server.problem || isConnected(record)) return local_server.problem;
    return problem(
      "tunnel-failed",
      `cloudflared did not connect to Cloudflare within ${CONNECT_MS / 1000} s.`,
    );
  }

  async #record(id: string): Promise<SessionRecord | undefined> {
    return (await this.#store.read()).sessions.find((record) => record.id === id);
  }

  async #end(id: string): Promise<void> {
    await this.#stopping(({ sessions }) => {
      for (const record of sessions) if (record.id === id) record.wanted = "stopped";
    });
  }

  /** Resolves when what is no longer needed is gone: the keeper too, which may have done the stopping, and ends after it. */
  async #stopping(change: (state: State) => void): Promise<void> {
    await this.#store.change(change);
    await this.#observer.look();
    await this.#reconcile();
    const { keeper, leaving } = await this.#store.read();
    if (keeper === null && leaving && !(await waitForEnd(leaving, KEEPER_END_MS))) await endProcess(leaving);
  }

  /** The local server and the Worker get this session as it is wanted. */
  async #follow(id: string): Promise<void> {
    const server = await this.#reconciler.localServer.ensure();
    if (!server) throw new LinkupError("local-server-failed", "The local server does not run.");
    await this.#reconciler.life.route(id, server);
  }

  async #rollBack(id: string, targets: Record<string, Target>): Promise<void> {
    await this.#store.change(({ sessions }) => {
      for (const record of sessions) if (record.id === id) record.targets = targets;
    });
    try {
      await this.#follow(id);
    } catch (error) {
      await this.#reconciler.troubled(id, error);
    }
  }

  async #reconcile(): Promise<void> {
    await this.#store.reconciling(() => this.#reconciler.run());
    await this.#renewLease();
    await this.#observer.look();
  }

  /** One look of the watcher's: what is wrong is shown, and tried again at the next one. */
  async #round(): Promise<void> {
    try {
      await this.#observer.look();
      const { sessions, undeleted } = this.#observer.seen.state;
      if (sessions.some(isPresent) || undeleted.length > 0) await this.#reconcile();
      await this.#observer.probe("due");
      this.#observer.tell("state", null);
    } catch (error) {
      this.#options.log((error as Error).message);
      this.#observer.tell("state", problemOf(error, "state-unusable"));
    }
  }

  async #renewLease(): Promise<void> {
    const { user } = this.#options;
    if (user.keep || !this.#watcher.isRunning || performance.now() - this.#renewedAt < RENEW_MS) return;
    const { control } = this.#reconciler.localServer;
    if (!(await control.status())) return;
    await control.putLease(user.id, { ttl_ms: LEASE_MS });
    this.#renewedAt = performance.now();
  }
}

function matcher(pattern: string): (name: string) => boolean {
  const parts = pattern.split("*").map((part) => part.replace(/[^a-z0-9-]/g, "\\$&"));
  const regex = new RegExp(`^${parts.join(".*")}$`);
  return (name) => regex.test(name);
}

function toggleFailed(services: readonly string[] | "all", target: Target, cause: unknown): LinkupError {
  const { message, actions, code } = problemOf(cause, "toggle-failed");
  if (code === "session-stopped") return cause as LinkupError;
  const what = services === "all" ? "The services stay" : `${services.join(", ")} stays`;
  return new LinkupError("toggle-failed", `${what} where it was, not ${target}: ${message}`, actions, {
    cause,
  });
}
