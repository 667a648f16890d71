/**
 * Makes what runs follow what is wanted. Level-triggered and idempotent: it looks at what is there, does what is
 * missing, and does nothing when all is as it should be. It runs in a transaction of the store.
 */
import type { ServerStatus } from "../../core/api/control-api.ts";
import { servedHosts } from "../components/local-dns/coverage.ts";
import { followSessions } from "../components/local-dns/hosts-file.ts";
import { asksLocalDns, readJournal } from "../components/local-dns/journal.ts";
import { LocalDns } from "../components/local-dns/local-dns-process.ts";
import { LocalServer } from "../components/local-server/local-server.ts";
import { retryDeletions } from "../components/worker-api/pending-deletions.ts";
import { forgetExpired } from "../model/intents.ts";
import type { ProcessOptions } from "../model/manager-options.ts";
import { LinkupError, type ProblemCode, problemOf } from "../model/problem.ts";
import { isDesired, isExpired, isPresent, needsLocalServer, needsThisMachine } from "../model/records.ts";
import type { LastError, SessionRecord } from "../model/state.ts";
import { backoffMs, isDue } from "../model/supervision.ts";
import type { Store } from "../store/store.ts";
import { KeeperProcess } from "./keeper-process.ts";
import { RoutingRequestFollower } from "./routing-request-follower.ts";
import { SessionReconciler } from "./session-reconciler.ts";

const isRunningHere = (record: SessionRecord) => isDesired(record) && needsThisMachine(record);
const usesLocalServer = (record: SessionRecord) => isDesired(record) && needsLocalServer(record);

/** The lease of sessions that go on without any window. */
export const KEEP_RUNNING_LEASE = "keep";
/** Waits between tries: 1 s, 2 s, 4 s … */
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;

export class Reconciler {
  readonly localServer: LocalServer;
  readonly localDns: LocalDns;
  readonly keeper: KeeperProcess;
  readonly sessionReconciler: SessionReconciler;
  readonly #routingRequests: RoutingRequestFollower;
  readonly #store: Store;
  readonly #home: string;
  readonly #log: (line: string) => void;

  constructor(options: ProcessOptions, store: Store) {
    this.localServer = new LocalServer(options, store);
    this.localDns = new LocalDns(options, store);
    this.keeper = new KeeperProcess(options, store);
    this.sessionReconciler = new SessionReconciler(options, store, this.localServer.control);
    this.#routingRequests = new RoutingRequestFollower(store, this.sessionReconciler, options.log);
    this.#store = store;
    this.#home = options.home;
    this.#log = options.log;
  }

  /** Failures of components are recorded in the state for display and retry, not thrown. */
  async run(now = Date.now()): Promise<void> {
    if ((await this.#store.read()).sessions.some((record) => isExpired(record, now)))
      await this.#store.change((state) => forgetExpired(state, now));
    const { sessions } = await this.#store.read();
    const running = sessions.filter(isDesired);
    await this.#clearAway(sessions, running);

    const server = await this.#server(sessions.filter(usesLocalServer));
    await Promise.all([
      ...running.map((record) => this.#bringUp(record, server, now)),
      retryDeletions(this.#store, now),
    ]);
    if (!server) return;
    await this.#routingRequests.run((await this.#store.read()).sessions, server, now);
    // The sessions that have just come: their names resolve when a start returns.
    await this.#nameHosts((await this.#store.read()).sessions.filter(isRunningHere), "hosts-file");
    await this.#removeStrangers(server);
  }

  async #bringUp(record: SessionRecord, server: ServerStatus | undefined, now: number): Promise<void> {
    const { id, last_error, confirmed } = record;
    const due = !last_error || isDue(last_error, now);
    if (!needsThisMachine(record))
      return due ? this.#try(id, () => this.sessionReconciler.publish(id, server)) : undefined;
    if (!server) return;
    if (due) return this.#try(id, () => this.sessionReconciler.bringUp(id, server));
    // A confirmed session keeps working during the backoff.
    if (confirmed) return this.#try(id, () => this.sessionReconciler.maintain(id, server), "keep-waiting");
  }

  /** Takes down ended sessions and what a crash left behind. */
  async #clearAway(sessions: readonly SessionRecord[], running: readonly SessionRecord[]): Promise<void> {
    const ended = sessions.filter((record) => !isDesired(record) && isPresent(record));
    await Promise.all(ended.map((record) => this.sessionReconciler.tearDown(record)));
    const gone = (session: string) => !running.some(({ id }) => id === session);
    const problems = await this.sessionReconciler.envFiles.restore(gone);
    for (const { message } of problems) this.#log(message);
    const aside = problems.filter(({ code }) => code === "journal-set-aside");
    if (aside.length > 0) await this.#store.change((state) => state.set_aside.push(...aside));
  }

  /** Ensures keeper and local server while a session needs them; stops both otherwise. */
  async #server(running: readonly SessionRecord[]): Promise<ServerStatus | undefined> {
    if (running.length === 0) {
      await this.#nameHosts([]);
      await this.localServer.stop();
      await this.keeper.stop();
      return undefined;
    }
    await this.keeper.ensure();
    const server = await this.localServer.ensure();
    if (!server) return undefined;
    await this.#nameHosts(running.filter(needsThisMachine));
    const keep = running.some((record) => record.keep && needsThisMachine(record));
    const kept = server.leases.includes(KEEP_RUNNING_LEASE);
    if (keep && !kept) await this.localServer.control.putLease(KEEP_RUNNING_LEASE, { ttl_ms: null });
    if (!keep && kept) await this.localServer.control.deleteLease(KEEP_RUNNING_LEASE);
    return server;
  }

  /**
   * Where local DNS is installed, makes the hosts of local sessions resolve: by our DNS server, or by the hosts file. The
   * DNS server keeps running without a session, because the system resolves the whole domain through it.
   */
  async #nameHosts(running: readonly SessionRecord[], only?: "hosts-file"): Promise<void> {
    const journal = await readJournal(this.#home);
    if (only && journal?.method !== only) return;
    const hosts = servedHosts(running, journal?.domains ?? []);
    if (asksLocalDns(journal)) return this.localDns.ensure(hosts[0], journal.domains);
    await this.localDns.stop();
    // A file that is not ours to write is a problem that is shown.
    if (journal) await followSessions(hosts);
  }

  async #try(
    id: string,
    work: () => Promise<void>,
    then: "try-later" | "keep-waiting" = "try-later",
  ): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (then === "try-later") await this.recordError(id, error);
      else this.#log((error as Error).message);
    }
  }

  /** Records a session's error and its backoff. */
  async recordError(id: string, error: unknown): Promise<void> {
    if (error instanceof LinkupError && error.problem.code === "session-stopped") return;
    await this.#store.change(({ sessions }) => {
      const record = sessions.find((record) => record.id === id);
      if (!record || !isDesired(record)) return;
      record.last_error = nextError(error, "worker-failed", record.last_error);
      this.#log(`${record.name ?? record.config_path}: ${record.last_error.problem.message}`);
    });
  }

  /** Deletes the local server's unknown sessions: leftovers of a lost state or an old name. */
  async #removeStrangers(server: ServerStatus): Promise<void> {
    const { sessions } = await this.#store.read();
    const wanted = new Set(sessions.filter(isDesired).map(({ name }) => name));
    for (const name of server.sessions) {
      if (!wanted.has(name)) await this.localServer.control.deleteSession(name);
    }
  }
}

function nextError(error: unknown, code: ProblemCode, before: LastError | null): LastError {
  const failures = (before?.failures ?? 0) + 1;
  const wait = backoffMs(failures, FIRST_RETRY_MS, LONGEST_RETRY_MS);
  return { problem: problemOf(error, code), failures, retry_at: Date.now() + wait };
}
