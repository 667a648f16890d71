/** Reconciles, publishes snapshots and renews this window's lease at the local server. */
import { asksLocalDns, readJournal } from "../components/local-dns/journal.ts";
import { STATUS_TIMEOUT_MS } from "../components/local-server/control-client.ts";
import { BUSY_INTERVAL_MS, intervalMs } from "../model/at-rest.ts";
import type { ManagerOptions } from "../model/manager-options.ts";
import { problemOf } from "../model/problem.ts";
import { isPresent } from "../model/records.ts";
import type { State } from "../model/state.ts";
import { Store } from "../store/store.ts";
import { Observer } from "./observer.ts";
import { Reconciler } from "./reconciler.ts";
import { Watcher } from "./watcher.ts";

/** A lease outlives some missed renewals. */
const LEASE_MS = 15_000;
const RENEW_MS = 4_000;

export class ControlLoop {
  readonly options: ManagerOptions;
  readonly store: Store;
  readonly reconciler: Reconciler;
  readonly observer: Observer;
  readonly watcher: Watcher;
  /** The linkup.yaml files that this user started sessions of. */
  readonly files = new Set<string>();
  #renewedAt = Number.NEGATIVE_INFINITY;
  #followed: { pid: number; end: AbortController } | undefined;

  constructor(options: ManagerOptions) {
    this.options = options;
    this.store = new Store(options.home, options.log);
    this.reconciler = new Reconciler(options, this.store);
    this.watcher = new Watcher(options.home, () => this.#round(), options.log);
    this.observer = new Observer(this.store, this.reconciler.localServer.control, options.version);
  }

  /** Reconciles once, now, after this change of the desired state; all of it in one transaction. */
  async reconcile(): Promise<void>;
  async reconcile<T>(change: (state: State) => T, signal?: AbortSignal): Promise<T>;
  async reconcile<T>(change?: (state: State) => T, signal?: AbortSignal): Promise<T | undefined> {
    const result = await this.store.transaction(async () => {
      const result = change && (await this.store.change(change));
      if (change) await this.observer.showState();
      await this.reconciler.run();
      return result;
    }, signal);
    await this.#renewLease();
    await this.observer.look();
    return result;
  }

  /** Stops watching and gives up this window's lease. */
  async dispose(): Promise<void> {
    if (!this.watcher.isRunning) return;
    this.#followed?.end.abort();
    await this.watcher.stop();
    const { control } = this.reconciler.localServer;
    if (await control.status()) await control.deleteLease(this.options.user.id);
  }

  /** One round of the watcher; resolves with the milliseconds until the next. A failure becomes a problem in the snapshot, and the next round tries again. */
  async #round(): Promise<number> {
    try {
      await this.observer.look();
      const { sessions, pending_deletions, local_dns } = this.observer.seen.state;
      const named = local_dns.process !== null || asksLocalDns(await readJournal(this.options.home));
      this.#followLocalCopies();
      if (sessions.some(isPresent) || pending_deletions.length > 0 || named) await this.reconcile();
      await this.observer.probe("due");
      this.observer.tell("state", null);
      return intervalMs(this.observer.seen.state, Date.now());
    } catch (error) {
      this.options.log((error as Error).message);
      this.observer.tell("state", problemOf(error, "state-unusable"));
      // A window that cannot write, as on a full disk, is there: the keeper would end its sessions once it can write again.
      await this.#renewLease().catch(() => {});
      return BUSY_INTERVAL_MS;
    }
  }

  /** Rounds are too seldom to show at once where services go that are routed automatically: the local server tells. */
  #followLocalCopies(): void {
    const { server } = this.observer.seen;
    const pid = server?.auto && this.watcher.isRunning ? server.pid : undefined;
    if (this.#followed?.pid === pid) return;
    this.#followed?.end.abort();
    this.#followed = undefined;
    if (pid === undefined) return;
    const followed = { pid, end: new AbortController() };
    this.#followed = followed;
    const show = () => {
      if (followed.end.signal.aborted) return;
      this.observer.look().catch((error: Error) => this.options.log(error.message));
    };
    // One of an older version has no such call: rounds show it then. Another process is followed anew.
    this.reconciler.localServer.control.followLocalCopies(show, followed.end.signal).catch(() => {});
  }

  async #renewLease(): Promise<void> {
    const { user } = this.options;
    if (user.keep || !this.watcher.isRunning || performance.now() - this.#renewedAt < RENEW_MS) return;
    const { control } = this.reconciler.localServer;
    if (!(await control.status(STATUS_TIMEOUT_MS))) return;
    const files = [...new Set([...this.files, ...(user.files?.() ?? [])])];
    if (await control.putLease(user.id, { ttl_ms: LEASE_MS, files })) this.#renewedAt = performance.now();
  }
}
