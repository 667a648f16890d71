/**
 * The keeper: reconciles while no window is open, and stops sessions without a lease. A separate process,
 * so that a killed editor or a closed terminal leaves nothing behind.
 */

import type { ServerStatus } from "../../core/api/control-api.ts";
import { controlAddress } from "../../node/control-address.ts";
import { logFolder, tunnelLogFile } from "../../node/log-files.ts";
import { ownId } from "../../node/process-identity.ts";
import { collectGarbage } from "../../node/v8.ts";
import { STATUS_TIMEOUT_MS } from "../components/local-server/control-client.ts";
import { ConnectorWatch } from "../components/tunnel/connector-supervision.ts";
import { BUSY_INTERVAL_MS, IDLE_INTERVAL_MS, intervalMs } from "../model/at-rest.ts";
import type { ProcessOptions } from "../model/manager-options.ts";
import { networkChanged } from "../model/network-change.ts";
import { isDesired, isPresent, needsLocalServer, needsThisMachine } from "../model/records.ts";
import { secretsOf } from "../model/secrets.ts";
import { serviceHere } from "../model/session-documents.ts";
import { ExitWatcher, type ListenAddress } from "../process/exit-watcher.ts";
import { LogTender } from "../process/log-tender.ts";
import { Store } from "../store/store.ts";
import { NetworkWatch, sampleNetwork } from "./network-watch.ts";
import { KEEP_RUNNING_LEASE, Reconciler } from "./reconciler.ts";
import { watchState } from "./state-watch.ts";

/** How long a session outlives the last lease of a window: long enough for a reload, or for a new extension host. */
const GRACE_MS = 40_000;
/** How often it looks while all is well: windows, which users wait for, do so more often. */
const LOOK_MS = 7_500;
/**
 * While all is well, without local DNS, it looks so often whether the local server answers and each cloudflared is connected
 * before it makes a whole round, with the lock, the state and the logs: that is what costs most of an idle session's CPU.
 */
const LOOKS_BEFORE_ROUND = 2;
/** What the start left is collected after so many looks at rest, three quarters of a minute: 3 of its 16 MB. */
const LOOKS_BEFORE_COLLECTION = 6;
/** A look that comes so much later than the one before. */
const SLEPT_MS = 10_000;

/** Resolves when there is nothing left to keep, or when another keeper has taken over. */
export async function keep(options: ProcessOptions): Promise<void> {
  const store = new Store(options.home, options.log);
  const reconciler = new Reconciler(options, store);
  const leases = new LeaseWatch(performance.now());
  const network = new NetworkWatch(sampleNetwork());
  const exits = new ExitWatcher();
  const socket = controlAddress(options.home);
  const logs = new LogTender(logFolder(options.home));
  // Secrets of ended sessions may still be logged.
  const secrets = new Set<string>();
  let watched: ListenAddress[] = [];
  let connectors: ConnectorWatch[] = [];
  let restMs = BUSY_INTERVAL_MS;
  let hasLocalDns = false;
  let wasUsed = false;
  let wasUnused = false;
  let looks = 0;
  const rest = new RestWatch();
  const files = watchState(options.home, () => exits.wake(), options.log);

  for (let done = false; !done; ) {
    const isWoken = await exits.wait(restMs, watched);
    try {
      const changed = network.hasChanged(sampleNetwork());
      if (changed) options.log("The network changed, or the machine slept: looking at every connection.");
      const status = await look(reconciler);
      const used = status === "silent" || isUsed(status);
      const unused = leases.hasEnded(used, performance.now());
      // One wake-up, as by the state that this keeper writes itself every minute or so, leaves no more than a round does.
      if (rest.isLong(restMs === LOOK_MS)) collectGarbage();
      const isQuiet =
        !isWoken && !changed && !hasLocalDns && restMs === LOOK_MS && typeof status === "object";
      const isAsBefore = isQuiet && used === wasUsed && unused === wasUnused;
      wasUsed = used;
      wasUnused = unused;
      const isWell = isAsBefore && (await areSteady(connectors));
      looks = isWell ? looks + 1 : 0;
      if (looks % LOOKS_BEFORE_ROUND !== 0) continue;
      const state = await store.transaction(async () => {
        if (changed) await store.change((state) => networkChanged(state, Date.now()));
        if (unused) await endUnkept(store, options.log);
        done = await keepOnce(store, reconciler);
        return store.read();
      });
      const { sessions } = state;
      for (const secret of secretsOf(sessions)) secrets.add(secret);
      const isLeft = !used && sessions.some((record) => isDesired(record) && !record.keep);
      const interval = intervalMs(state, Date.now());
      restMs = isLeft ? BUSY_INTERVAL_MS : interval === IDLE_INTERVAL_MS ? LOOK_MS : interval;
      // What happens to local DNS is found by a round.
      hasLocalDns = state.local_dns.process !== null;
      connectors = sessions.flatMap((record) => {
        const { name, connector } = record;
        if (name === null || !connector) return [];
        const log = tunnelLogFile(options.home, name);
        return new ConnectorWatch(connector, log, serviceHere(record) !== undefined);
      });
      watched = [socket, ...connectors.flatMap(({ connector }) => connector.metrics_port ?? [])];
      await logs.tend([...secrets]);
    } catch (error) {
      // A full disk or a hung local server may have recovered by the next round.
      restMs = BUSY_INTERVAL_MS;
      options.log((error as Error).message);
    }
  }
  files?.close();
  exits.end();
}

/** What the local server says, undefined when none runs. */
async function look({ localServer }: Reconciler): Promise<ServerStatus | "silent" | undefined> {
  try {
    return await localServer.control.status(STATUS_TIMEOUT_MS);
  } catch {
    return "silent";
  }
}

async function areSteady(connectors: readonly ConnectorWatch[]): Promise<boolean> {
  const found = await Promise.all(connectors.map((connector) => connector.isSteady()));
  return found.every(Boolean);
}

/** True while a window holds a lease. */
function isUsed(status: ServerStatus | undefined): boolean {
  return status?.leases.some((id) => id !== KEEP_RUNNING_LEASE) ?? false;
}

/** True when there is nothing left to do. Under the lock, so that no session starts meanwhile and relies on this keeper. */
async function keepOnce(store: Store, reconciler: Reconciler): Promise<boolean> {
  const { sessions, keeper } = await store.read();
  if (keeper && keeper.pid !== process.pid) return true;
  // The process that started this one died before it could write it down.
  if (!keeper && sessions.some((record) => isDesired(record) && needsLocalServer(record))) {
    const id = await ownId();
    await store.change((state) => {
      state.keeper = id;
    });
  }
  await reconciler.run();
  return !sessions.some((record) => isPresent(record) && needsLocalServer(record));
}

/** Detects that no window has held a lease for the grace period. Pure. */
export class LeaseWatch {
  #used: number;
  #looked: number;

  constructor(now: number) {
    this.#used = now;
    this.#looked = now;
  }

  /** `now`: monotonic milliseconds. */
  hasEnded(used: boolean, now: number): boolean {
    // The machine slept: windows get their time to renew their leases.
    const slept = now - this.#looked > SLEPT_MS;
    if (used || slept) this.#used = now;
    this.#looked = now;
    return now - this.#used > GRACE_MS;
  }
}

/** Detects, once for each rest, that it has lasted for a while. Pure. */
export class RestWatch {
  #looks = 0;

  isLong(isAtRest: boolean): boolean {
    this.#looks = isAtRest ? this.#looks + 1 : 0;
    return this.#looks === LOOKS_BEFORE_COLLECTION;
  }
}

/** Stops sessions whose windows are gone. */
async function endUnkept(store: Store, log: (line: string) => void): Promise<void> {
  await store.change(({ sessions }) => {
    for (const record of sessions) {
      delete record.followed_here;
      if (!isDesired(record) || record.keep || !needsThisMachine(record)) continue;
      log(`Nobody uses ${record.name ?? "the session"} any more: stopping it.`);
      record.desired = "stopped";
    }
  });
}
