/** Manages the sessions of this machine: the API of the extension and the command line. */

import { existsSync } from "node:fs";
import { realpath } from "node:fs/promises";
import type { Invite, InviteRequest, NewInvite } from "../core/api/access-api.ts";
import type { ReplayResponse } from "../core/api/request-log-api.ts";
import type { RoutingChange, SharedRouting } from "../core/api/routing-requests-api.ts";
import type { Config, Target } from "../core/config/model/config-model.ts";
import { reservedNameError } from "../core/session/reserved-names.ts";
import type { SessionAccess } from "../core/session/session-document.ts";
import { sessionNameError } from "../core/session/session-name.ts";
import type { Text } from "../core/text.ts";
import { text } from "../core/text.ts";
import { type RequestLogClient, STATUS_TIMEOUT_MS } from "./components/local-server/control-client.ts";
import { checkRecordedRequests } from "./components/local-server/passed-requests.ts";
import type { DoctorInput } from "./doctor/doctor.ts";
import type { HealthReport } from "./doctor/report.ts";
import { readConfig } from "./files/config-file.ts";
import { existingSession } from "./files/existing-state.ts";
import {
  applyConfig,
  applyCreate,
  applyStart,
  type ExistingSession,
  movesWorker,
  type SessionIntent,
} from "./model/intents.ts";
import type { CreateRequest, ManagerOptions, OtherUsers, StartRequest } from "./model/manager-options.ts";
import { LinkupError, problemOf } from "./model/problem.ts";
import {
  findRunning,
  forgetUnused,
  isDesired,
  isOwnRecord,
  isPresent,
  type Selector,
} from "./model/records.ts";
import type { ComponentId, SessionView, Snapshot } from "./model/snapshot.ts";
import type { State } from "./model/state.ts";
import type { CheckedPropagation } from "./operations/check-propagation.ts";
import type { ComparedRow, CompareRequest } from "./operations/compare.ts";
import { type ExplainedRequest, explain } from "./operations/explain.ts";
import { followPreviews, keepFollowingPreviews, type PreviewSelector } from "./operations/follow-previews.ts";
import { previewRequest } from "./operations/preview-request.ts";
import { type ReplayOptions, replayRequest } from "./operations/replay.ts";
import {
  accessFailed,
  changeAccess,
  overridesFailed,
  routeServices,
  shareTargets,
  switchOverrides,
  toggleFailed,
} from "./operations/route.ts";
import { type InvitedSession, routeElsewhere, sharedRouting } from "./operations/route-elsewhere.ts";
import {
  createInvite,
  listInvites,
  ownerUrl,
  recordRouters,
  revokeInvite,
  sharedSession,
} from "./operations/sharing.ts";
import { startSession } from "./operations/start.ts";
import { deleteOnMachine, deleteOnWorker, envFilesLeft, stopSessions } from "./operations/stop.ts";
import { START_TIMEOUT_MS, TOGGLE_TIMEOUT_MS, withinTime } from "./operations/time-limit.ts";
import {
  extendWorkerSession,
  type ListedWorkerSession,
  listWorkerSessions,
  type SessionQuery,
  type WorkerSession,
  type WorkerSessionPage,
  workerSession,
} from "./operations/worker-sessions.ts";
import { unconfirmed, workerToConfirm, workerToken } from "./operations/worker-token.ts";
import { ControlLoop } from "./reconcile/control-loop.ts";
import { ConfirmedWorkers } from "./store/confirmed-workers.ts";

export type { CreateRequest, ManagerOptions, OtherUsers, Selector, StartRequest };

export class Manager {
  readonly #options: ManagerOptions;
  readonly #loop: ControlLoop;
  readonly #confirmedWorkers: ConfirmedWorkers;

  constructor(options: ManagerOptions) {
    this.#options = options;
    this.#loop = new ControlLoop(options);
    this.#confirmedWorkers = new ConfirmedWorkers(options.home, options.env);
  }

  get snapshot(): Snapshot {
    return this.#loop.observer.snapshot;
  }

  /** As `followPreviews` of operations/follow-previews.ts, while this window or terminal watches. */
  followPreviews(selector: PreviewSelector): Promise<boolean> {
    return followPreviews(this.#loop, selector);
  }

  /** As `keepFollowingPreviews` of operations/follow-previews.ts, until `dispose` of what it resolves with. */
  keepFollowingPreviews(
    selector: PreviewSelector,
    tell: (error: Error) => void,
  ): Promise<{ dispose(): void }> {
    return keepFollowingPreviews(this.#loop, selector, tell);
  }

  /** The local server's request log. */
  get requestLog(): RequestLogClient {
    return this.#loop.reconciler.localServer.control;
  }

  /** Called with each new snapshot. */
  onDidChange(listener: (snapshot: Snapshot) => void): { dispose(): void } {
    return this.#loop.observer.onDidChange(listener);
  }

  /** Reconciles until `dispose`: for windows and attached terminals. */
  watch(): void {
    this.#loop.watcher.start();
  }

  /**
   * Starts the session of this file, or adopts the one that runs. Rejects with a LinkupError, or with the signal's reason; what
   * it has started is stopped then, what it has adopted goes on.
   */
  async start(
    { configPath, kind = "tunneled", name, access, target = "remote" }: StartRequest,
    signal?: AbortSignal,
    timeoutMs = START_TIMEOUT_MS,
  ): Promise<SessionView> {
    this.#loop.files.add(configPath);
    const wanted = await this.#wanted(configPath, kind === "tunneled", { name, access });
    const existing = await this.existingSession({ configPath, kind, ...(name ? { name } : {}) });
    const change = (state: State) => {
      forgetUnused(state, Date.now(), existsSync);
      return applyStart(state, kind, wanted, Date.now(), { existing, target });
    };
    return withinTime(timeoutMs, signal, startTimedOut(timeoutMs), (signal) =>
      startSession(this.#loop, change, { retried: true }, signal),
    );
  }

  /** The session of the existing Linkup that the first start of this file continues: with its name and targets. */
  async existingSession({
    configPath,
    kind = "tunneled",
    name,
  }: StartRequest): Promise<ExistingSession | undefined> {
    if (kind !== "tunneled" || name !== undefined) return undefined;
    const { sessions } = await this.#loop.store.read();
    if (sessions.some((record) => isOwnRecord(record, configPath, kind))) return undefined;
    return existingSession(this.#options.home, configPath);
  }

  /** Creates or changes a secondary session. Rejects as `start` does, and then leaves nothing behind. */
  async create(
    { configPath, kind, name, access, locations, expiresIn }: CreateRequest,
    signal?: AbortSignal,
    timeoutMs = START_TIMEOUT_MS,
  ): Promise<SessionView> {
    const wanted = await this.#wanted(configPath, kind === "preview", { name, access });
    const change = (state: State) => applyCreate(state, kind, wanted, locations, Date.now(), expiresIn);
    return withinTime(timeoutMs, signal, startTimedOut(timeoutMs), (signal) =>
      startSession(this.#loop, change, { retried: false }, signal),
    );
  }

  /**
   * The origin of the Worker that this file's session would be the first to send the user's token to: ask the user, then
   * call `confirmWorker`. Undefined when there is nothing to ask. Rejects with a LinkupError for a file with errors.
   */
  async workerToConfirm(configPath: string): Promise<string | undefined> {
    return workerToConfirm(await readConfig(configPath), this.#options, this.#confirmedWorkers);
  }

  /** The user has said that this Worker may be sent the token. */
  async confirmWorker(workerUrl: string): Promise<void> {
    await this.#confirmedWorkers.add(workerUrl);
  }

  /** What `create` would send to the Worker for a preview, without sending it. */
  async previewRequest({ configPath, ...preview }: Omit<CreateRequest, "kind">): Promise<unknown> {
    return previewRequest(await readConfig(configPath), preview);
  }

  /** Ends everything even if the state cannot be written; then it rejects with a LinkupError that says so. */
  async stop(selector: Selector | "all"): Promise<void> {
    await stopSessions(this.#loop, selector);
  }

  /** Who else on this machine works on the linkup.yaml of a session, by their leases. */
  async otherUsers(configPath: string | undefined): Promise<OtherUsers> {
    const status = await this.requestLog.status(STATUS_TIMEOUT_MS).catch(() => undefined);
    const ids = Object.entries(status?.lease_files ?? {}).flatMap(([id, files]) =>
      configPath !== undefined && files.includes(configPath) && id !== this.#options.user.id ? [id] : [],
    );
    const windows = ids.filter((id) => id.startsWith("vscode-")).length;
    return { windows, terminals: ids.length - windows };
  }

  /** Env files that still hold the block of an ended session because they could not be written. Retried later. */
  async envFilesLeft(): Promise<string[]> {
    return envFilesLeft(this.#loop);
  }

  /**
   * Deletes a session of this machine or, without one, one of the Worker that this file names. `*` stands for anything.
   * Returns the deleted names. Rejects with a LinkupError when no session matches.
   */
  async remove(pattern: string, configPath: string | undefined): Promise<string[]> {
    const here = await deleteOnMachine(this.#loop, pattern);
    if (here.length > 0 && !pattern.includes("*")) return here;
    const there =
      configPath === undefined ? [] : await deleteOnWorker(pattern, await this.#wanted(configPath, true, {}));
    if (here.length + there.length > 0) return [...here, ...there];
    throw new LinkupError(
      "session-unknown",
      text('There is no session "{0}", neither here nor on the Worker.', pattern),
    );
  }

  /** A page of the sessions on the Worker that this file names. Rejects with a LinkupError. */
  async workerSessions(configPath: string, query: SessionQuery): Promise<WorkerSessionPage> {
    return listWorkerSessions(await this.#wanted(configPath, true, {}), query);
  }

  /** What that Worker knows of one session, with its URLs. Rejects with a LinkupError, `session-unknown` when no session has this name. */
  async workerSession(configPath: string, name: string): Promise<WorkerSession> {
    return workerSession(await this.#wanted(configPath, true, {}), name);
  }

  /** Lets a session on that Worker live for this many seconds from now; null: as long as it is used. Rejects with a LinkupError. */
  async extend(configPath: string, name: string, seconds: number | null): Promise<ListedWorkerSession> {
    return extendWorkerSession(this.#loop, await this.#wanted(configPath, true, {}), name, seconds);
  }

  /**
   * Resolves when the local server and the Worker have both confirmed. Otherwise it rolls back and rejects: with a LinkupError,
   * or with the signal's reason.
   */
  async route(
    selector: Selector,
    services: readonly string[] | "all",
    target: Target,
    signal?: AbortSignal,
    timeoutMs = TOGGLE_TIMEOUT_MS,
  ): Promise<SessionView> {
    const late = () => toggleFailed(services, target, unconfirmedIn(timeoutMs));
    return withinTime(timeoutMs, signal, late, (signal) =>
      routeServices(this.#loop, { selector, services, target }, signal),
    );
  }

  /** A session of this machine as it is now. Rejects with a LinkupError when it does not run. */
  async session(selector: Selector): Promise<SessionView> {
    const { observer, store } = this.#loop;
    const { id } = findRunning(await store.read(), selector);
    await observer.look();
    return observer.session(id);
  }

  /**
   * Switches overrides of a session's file on or off; kept for its next starts. A name that the session does not have may
   * be new in the file, which it follows then. Resolves and rejects as `route` does.
   */
  async setOverrides(
    selector: Selector,
    names: readonly string[] | "all",
    on: boolean,
    signal?: AbortSignal,
    timeoutMs = TOGGLE_TIMEOUT_MS,
  ): Promise<SessionView> {
    const late = () => overridesFailed(unconfirmedIn(timeoutMs));
    return withinTime(timeoutMs, signal, late, async (signal) => {
      await this.#lookForOverrides(selector, names);
      return switchOverrides(this.#loop, { selector, names, on }, signal);
    });
  }

  /** Changes who can open a session; kept for its next starts. Resolves and rejects as `route` does. */
  async setAccess(
    selector: Selector,
    access: SessionAccess,
    signal?: AbortSignal,
    timeoutMs = TOGGLE_TIMEOUT_MS,
  ): Promise<SessionView> {
    const late = () => accessFailed(unconfirmedIn(timeoutMs));
    return withinTime(timeoutMs, signal, late, (signal) =>
      changeAccess(this.#loop, selector, access, signal),
    );
  }

  /** Lets other sessions route to the services of this one, or not. Resolves and rejects as `route` does. */
  async shareTargets(selector: Selector, shared: boolean, signal?: AbortSignal): Promise<SessionView> {
    const late = () => accessFailed(unconfirmedIn(TOGGLE_TIMEOUT_MS));
    return withinTime(TOGGLE_TIMEOUT_MS, signal, late, (signal) =>
      shareTargets(this.#loop, selector, shared, signal),
    );
  }

  /**
   * Invites somebody to a session of this machine, or to one of the Worker that the file names. The secret is in this answer
   * only. Rejects with a LinkupError.
   */
  async invite(
    selector: Selector,
    request: InviteRequest,
    configPath?: string | undefined,
  ): Promise<NewInvite> {
    const shared = await this.#shared(selector, configPath);
    const invite = await createInvite(shared, request);
    if (!invite.rights.includes("route")) return invite;
    // Whatever fails from here on, the invite is made and its secret is told only now.
    try {
      await recordRouters(this.#loop, shared, invite);
      // The invite's holder sees the services at once.
      await this.#loop.reconcile();
    } catch (error) {
      this.#loop.options.log((error as Error).message);
    }
    return invite;
  }

  /** The invites of a session, newest first. Rejects with a LinkupError. */
  async invites(selector: Selector, configPath?: string | undefined): Promise<readonly Invite[]> {
    return listInvites(await this.#shared(selector, configPath));
  }

  /**
   * Where the owner of a session elsewhere has its services, for whom an invite lets route them. Rejects with a LinkupError,
   * `session-unknown` while the session is stopped and `invite-unknown` when the invite has ended, or with the signal's reason.
   */
  async sharedRouting(invited: InvitedSession, signal?: AbortSignal): Promise<SharedRouting> {
    return sharedRouting(invited, signal);
  }

  /**
   * Asks the owner of a session elsewhere to route its services; the invite says that we may. Resolves when the owner's machine
   * has done it. Rejects with a LinkupError, also when that machine does not answer in time, or with the signal's reason.
   */
  async routeElsewhere(invited: InvitedSession, change: RoutingChange, signal?: AbortSignal): Promise<void> {
    return routeElsewhere(invited, change, signal);
  }

  /** Ends an invite and all that was let in by it. Rejects with a LinkupError. */
  async revokeInvite(selector: Selector, id: string, configPath?: string | undefined): Promise<void> {
    const shared = await this.#shared(selector, configPath);
    await revokeInvite(shared, id);
    // It has ended, whatever fails from here on.
    await recordRouters(this.#loop, shared).catch((error: Error) => this.#loop.options.log(error.message));
  }

  /**
   * Where the owner's browser opens this URL of a session: for a private one a link that lets it in, once and within a
   * minute. Rejects with a LinkupError.
   */
  async ownerUrl(url: string): Promise<string> {
    return ownerUrl(this.#loop, url);
  }

  async #shared(selector: Selector, configPath: string | undefined) {
    return sharedSession(this.#loop, selector, async () =>
      configPath === undefined ? undefined : await this.#wanted(configPath, true, {}),
    );
  }

  /**
   * Where a request would go while this session and all others run, and why. Rejects with a LinkupError
   * when the session does not run, and with a TypeError when the URL is invalid.
   */
  async explain(
    selector: Selector,
    url: string,
    headers: Record<string, string>,
    method?: string | undefined,
  ): Promise<ExplainedRequest> {
    const state = await this.#loop.store.read();
    findRunning(state, selector);
    const { observer } = this.#loop;
    await observer.look();
    return explain(state.sessions.filter(isDesired), observer.seen.server, url, headers, method);
  }

  /** Sends a request of the log again. Rejects with a LinkupError when that cannot be. */
  async replay(id: number, options: ReplayOptions): Promise<ReplayResponse> {
    const { sessions } = await this.#loop.store.read();
    return replayRequest(this.requestLog, sessions, id, options);
  }

  /**
   * Compares what the local and the remote copy answer to requests of the log. Changes nothing unless `unsafe`, and shows
   * secrets to nobody who has not had them unless `secrets`. Rejects with a LinkupError when the session does not run.
   */
  async compare(selector: Selector, request: CompareRequest, signal?: AbortSignal): Promise<ComparedRow[]> {
    const record = findRunning(await this.#loop.store.read(), selector);
    const { compareCopies } = await import("./operations/compare.ts");
    return compareCopies(this.requestLog, record, request, signal);
  }

  /**
   * Who passes the session on, from what passed in the last minutes; with `probe` by a GET through each service of a running
   * session. Rejects with a LinkupError when that session does not run.
   */
  async checkPropagation(probe?: Selector, signal?: AbortSignal): Promise<CheckedPropagation> {
    const { probePropagation } = await import("./operations/check-propagation.ts");
    if (!probe) return { ...(await checkRecordedRequests(this.requestLog)), probed: null };
    return probePropagation(this.requestLog, findRunning(await this.#loop.store.read(), probe), signal);
  }

  /** The saved file's changes reach the running session; an invalid file changes nothing and becomes a problem. */
  async configChanged(configPath: string): Promise<void> {
    const { observer } = this.#loop;
    let follow: (() => Promise<void>) | undefined;
    try {
      follow = await this.#changedConfig(configPath);
    } catch (error) {
      observer.tell(configPath, { ...problemOf(error, "config-invalid"), configPath });
      return;
    }
    observer.tell(configPath, null);
    await follow?.();
  }

  /** Makes the running sessions of the file follow it; undefined where there are none. Rejects for an invalid file. */
  async #changedConfig(configPath: string): Promise<(() => Promise<void>) | undefined> {
    const { sessions } = await this.#loop.store.read();
    const running = sessions.filter((record) => record.config_path === configPath && isDesired(record));
    if (running.length === 0) return undefined;
    const config = await readConfig(configPath);
    // A session's token goes to the Worker that it was given for.
    const token = running.some((record) => movesWorker(record, config))
      ? await this.#workerToken(config)
      : undefined;
    return () => this.#loop.reconcile((state) => applyConfig(state, configPath, config, token));
  }

  async #lookForOverrides(selector: Selector, names: readonly string[] | "all"): Promise<void> {
    const { config, config_path } = findRunning(await this.#loop.store.read(), selector);
    const known = new Set(config.overrides?.map(({ name }) => name));
    if (names === "all" || !config_path || names.every((name) => known.has(name))) return;
    const follow = await this.#changedConfig(config_path);
    await follow?.();
  }

  /** The path under which a running session knows this file: an editor may have opened it through a symlink. */
  async knownPath(configPath: string): Promise<string> {
    const { sessions } = await this.#loop.store.read();
    const known = sessions.filter(isPresent).flatMap(({ config_path }) => config_path ?? []);
    if (known.includes(configPath)) return configPath;
    const file = await realpath(configPath).catch(() => configPath);
    for (const path of known) if ((await realpath(path).catch(() => undefined)) === file) return path;
    return configPath;
  }

  /** The desired state and what runs, without probing services. */
  async look(): Promise<Snapshot> {
    await this.#loop.observer.look();
    return this.snapshot;
  }

  /** Refreshes everything, health probes included. `patienceMs`: timeout for each probe. */
  async refresh(patienceMs?: number): Promise<Snapshot> {
    return this.#loop.observer.refresh(patienceMs);
  }

  /**
   * Checks everything that sessions depend on. `configPath`: of a file that matters though it may not run. `offline`:
   * nothing outside this machine is asked for its sake, as in a workspace that is not trusted.
   */
  async health(configPath?: string, { offline = false } = {}): Promise<HealthReport> {
    const { examine } = await import("./doctor/doctor.ts");
    return examine({ ...(await this.#examined(configPath)), offline });
  }

  /** Ends orphaned processes; returns their pids. */
  async endOrphans(): Promise<number[]> {
    const { endOrphans } = await import("./doctor/doctor.ts");
    return this.#loop.store.transaction(async () => endOrphans(await this.#examined(undefined)));
  }

  /** Restarts a component where it is needed. */
  async restart(component: ComponentId): Promise<void> {
    const { store, reconciler } = this.#loop;
    const { localServer, localDns, sessionReconciler } = reconciler;
    await store.transaction(async () => {
      if (component === "local-server") await localServer.stop();
      if (component === "local-dns") await localDns.stop();
      if (component === "tunnel") await sessionReconciler.disconnect();
    });
    await this.#loop.reconcile();
  }

  /** Stops watching and deletes this window's lease; other users keep the components running. */
  async dispose(): Promise<void> {
    await this.#loop.dispose();
  }

  async #examined(configPath: string | undefined): Promise<DoctorInput> {
    const { home, version, env } = this.#options;
    const snapshot = await this.refresh();
    const { seen } = this.#loop.observer;
    const workerAccess = async (config: Config) => {
      if (!(await this.#confirmedWorkers.has(config.linkup.worker_url)))
        throw unconfirmed(config.linkup.worker_url);
      return this.#workerToken(config);
    };
    return {
      home,
      version,
      env,
      snapshot,
      configPath,
      workerToken: workerAccess,
      requestLog: this.requestLog,
      ...seen,
    };
  }

  async #wanted(
    configPath: string,
    needsWorker: boolean,
    { name, access }: { name?: string | undefined; access?: StartRequest["access"] | undefined },
  ): Promise<SessionIntent> {
    const file = await readConfig(configPath);
    const wrong = name === undefined ? undefined : (sessionNameError(name) ?? takenNameError(name, file));
    if (wrong) throw new LinkupError("name-invalid", wrong);
    const secret = needsWorker ? await this.#workerToken(file) : null;
    return { configPath, config: file, workerToken: secret, name, access, keep: this.#options.user.keep };
  }

  async #workerToken(config: Config): Promise<string> {
    return workerToken(config, this.#options, this.#confirmedWorkers);
  }
}

function unconfirmedIn(timeoutMs: number): LinkupError {
  const message = text("it was not confirmed within {0} s.", Math.ceil(timeoutMs / 1000));
  return new LinkupError("worker-unreachable", message);
}

/** The session is stopped by then. */
function startTimedOut(timeoutMs: number): () => LinkupError {
  return () =>
    new LinkupError(
      "start-timeout",
      text("The session was not ready within {0} s, and was stopped.", Math.ceil(timeoutMs / 1000)),
      [{ command: "start", title: "Try Again", terminal: "linkup start" }],
    );
}

/** Why no session of this file may have this name: it would take over the requests of a host. */
function takenNameError(name: string, { linkup, domains }: Config): Text | undefined {
  const { host } = new URL(linkup.worker_url);
  return reservedNameError(name, { workerHost: host, domains: domains.map(({ domain }) => domain) });
}
