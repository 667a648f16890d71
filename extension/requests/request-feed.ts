/** The requests of this machine's sessions, as they come: kept for the view, counted for the tree and the status bar. */
import * as vscode from "vscode";
import { type Exchange, type FollowedExchange, isFailed } from "../../core/api/request-log-api.ts";
import { PROPAGATION_WINDOW_MS, propagation } from "../../core/exchange/propagation.ts";
import type { Linkup } from "../linkup.ts";
import type { RequestCounts, ServiceCounts } from "../window-model.ts";
import type { HarFile } from "./har-file.ts";
import { type FeedStatus, MAX_ROWS } from "./protocol.ts";

/** How soon a local server is found whose start changes nothing that this window shows. */
const RETRY_MS = 5_000;
/** Coalesces changes that arrive together. */
const COALESCE_MS = 100;
const MINUTE_MS = 60_000;
const NONE: ServiceCounts = { perMinute: 0, errors: 0, lost: 0 };

export class RequestFeed implements vscode.Disposable {
  readonly #linkup: Linkup;
  readonly #rows = new Map<number, Exchange>();
  readonly #changedRows = new Map<number, Exchange>();
  readonly #changed = new vscode.EventEmitter<Exchange[]>();
  readonly #reset = new vscode.EventEmitter<void>();
  readonly #statusChanged = new vscode.EventEmitter<FeedStatus>();
  readonly #looked = new vscode.EventEmitter<void>();
  readonly #ended = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  /** When the local server started whose rows these are. */
  #server = 0;
  #clearedUpTo = 0;
  #lookedUpTo = 0;
  status: FeedStatus = {
    connected: false,
    watched: [],
    dropped: 0,
    missed: 0,
    truncated: false,
    bodies: false,
    file: null,
  };
  #file: HarFile | undefined;
  /** Previews of this workspace that the local server was asked to follow, as long as they run. */
  #previews = new Set<string>();
  readonly #modelChanged: vscode.Disposable;

  /** New and changed rows. */
  readonly onDidChange = this.#changed.event;
  /** All rows are others. */
  readonly onDidReset = this.#reset.event;
  readonly onDidChangeStatus = this.#statusChanged.event;
  /** The user has seen rows. */
  readonly onDidLook = this.#looked.event;

  constructor(linkup: Linkup) {
    this.#linkup = linkup;
    this.#modelChanged = linkup.onDidChange(() => void this.#followPreviews());
    void this.#follow();
  }

  /** By arrival, oldest first; those of the file that is open. */
  get shown(): Exchange[] {
    return [...(this.#file?.requests ?? this.#rows).values()];
  }

  /** By arrival, oldest first, also while a file is open. */
  get received(): Iterable<Exchange> {
    return this.#rows.values();
  }

  /** Of the file that is open. */
  get file(): HarFile | undefined {
    return this.#file;
  }

  /** Shows the requests of a file, or with `undefined` those that come. */
  open(file: HarFile | undefined): void {
    this.#file = file;
    this.#become({ file: file?.name ?? null });
    this.#reset.fire();
  }

  get counts(): RequestCounts {
    const since = Date.now() - MINUTE_MS;
    const services: Record<string, ServiceCounts> = {};
    let newErrors = 0;
    for (const exchange of this.#rows.values()) {
      const failed = exchange.state !== "open" && isFailed(exchange);
      if (failed && exchange.id > this.#lookedUpTo) newErrors++;
      if (exchange.service === null || exchange.time < since) continue;
      const key = `${exchange.session}/${exchange.service}`;
      const counts = services[key] ?? { perMinute: 0, errors: 0, lost: 0 };
      services[key] = counts;
      counts.perMinute++;
      if (failed) counts.errors++;
    }
    for (const [session, rows] of this.#lostRows())
      for (const { service, lost } of propagation(rows).services)
        if (lost > 0)
          services[`${session}/${service}`] = { ...(services[`${session}/${service}`] ?? NONE), lost };
    return { services, newErrors };
  }

  /** Of each session that a request of the last minutes lost: its requests, and those. */
  #lostRows(): Map<string, Exchange[]> {
    const since = Date.now() - PROPAGATION_WINDOW_MS;
    const found = new Map<string, Exchange[]>();
    for (const { lost_from, time } of this.#rows.values())
      if (lost_from !== null && time >= since) found.set(lost_from, []);
    if (found.size === 0) return found;
    for (const row of this.#rows.values())
      if (row.time >= since) found.get(row.lost_from ?? row.session ?? "")?.push(row);
    return found;
  }

  looked(): void {
    this.#lookedUpTo = Math.max(0, ...this.#rows.keys());
    this.#looked.fire();
  }

  /** Forgets the rows of this window; the log itself stays as it is. */
  clear(): void {
    this.#clearedUpTo = Math.max(this.#clearedUpTo, ...this.#rows.keys());
    this.#rows.clear();
    this.#changedRows.clear();
    this.#become({ dropped: 0, missed: 0, truncated: false });
    this.#reset.fire();
  }

  async keepBodies(keep: boolean): Promise<void> {
    const { requestLog } = await this.#linkup.manager;
    await requestLog.configureLog({ body_bytes: keep ? 65_536 : 0 });
    this.#become({ bodies: keep });
  }

  dispose(): void {
    this.#ended.abort();
    clearTimeout(this.#timer);
    for (const one of [this.#modelChanged, this.#changed, this.#reset, this.#statusChanged, this.#looked])
      one.dispose();
  }

  async #follow(): Promise<void> {
    const manager = await this.#linkup.manager;
    const { requestLog } = manager;
    const { signal } = this.#ended;
    while (!signal.aborted) {
      try {
        // Another local server may not follow them.
        this.#previews.clear();
        await this.#followPreviews();
        const server = await requestLog.status();
        if (server) {
          if (server.started !== this.#server) this.#startAnew(server.started);
          const { body_bytes } = await requestLog.logSettings();
          this.#become({ connected: true, bodies: body_bytes > 0 });
          await requestLog.followRequests({ limit: MAX_ROWS }, (line) => this.#take(line), signal);
        }
      } catch (error) {
        if (!signal.aborted) this.#linkup.log.debug((error as Error).message);
      }
      if (signal.aborted) return;
      this.#become({ connected: false, watched: [] });
      await this.#change(RETRY_MS);
    }
  }

  /** Resolves when what the window shows changes, as it does when a local server starts; or after this time. */
  async #change(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    const changed = this.#linkup.onDidChange(() => resolve());
    await promise;
    clearTimeout(timer);
    changed.dispose();
  }

  /**
   * Requests to a preview pass the Worker only, where the local server follows them: those of this workspace's previews, from
   * when they run. One that cannot be followed is tried again with the next change.
   */
  async #followPreviews(): Promise<void> {
    if (!vscode.workspace.isTrusted || this.#ended.signal.aborted) return;
    const { snapshot, configs } = this.#linkup.model;
    const configPaths = configs.map(({ path }) => path);
    const running = snapshot.sessions.flatMap(({ kind, state, name, configPath }) =>
      kind === "preview" && state === "running" && configPaths.includes(configPath ?? "") ? (name ?? []) : [],
    );
    const isNew = running.some((name) => !this.#previews.has(name));
    this.#previews = new Set(running);
    if (!isNew) return;
    try {
      await (await this.#linkup.manager).followPreviews({ configPaths });
    } catch (error) {
      this.#previews.clear();
      this.#linkup.log.debug((error as Error).message);
    }
  }

  /** Another server counts from 1 again. */
  #startAnew(server: number): void {
    this.#server = server;
    this.#clearedUpTo = 0;
    this.#lookedUpTo = 0;
    this.#rows.clear();
    this.#reset.fire();
  }

  #take(line: FollowedExchange): void {
    if ("watch" in line) {
      const watched = this.status.watched.filter(({ session }) => session !== line.watch.session);
      this.#become({ watched: [...watched, line.watch] });
    } else if ("missed" in line) this.#become({ missed: this.status.missed + line.missed });
    else if ("dropped" in line) this.#become({ dropped: this.status.dropped + line.dropped });
    else if (line.id > this.#clearedUpTo) this.#keep(line);
  }

  #keep(exchange: Exchange): void {
    this.#rows.set(exchange.id, exchange);
    if (this.#rows.size > MAX_ROWS) {
      this.#rows.delete(this.#rows.keys().next().value!);
      if (!this.status.truncated) this.#become({ truncated: true });
    }
    this.#changedRows.set(exchange.id, exchange);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const changed = [...this.#changedRows.values()];
      this.#changedRows.clear();
      this.#changed.fire(changed);
    }, COALESCE_MS);
  }

  #become(change: Partial<FeedStatus>): void {
    const before = JSON.stringify(this.status);
    this.status = { ...this.status, ...change };
    if (JSON.stringify(this.status) !== before) this.#statusChanged.fire(this.status);
  }
}
