/**
 * Makes what runs follow what is wanted. Level-triggered and idempotent: it looks at what is there, does what is
 * missing, and does nothing when all is as it should be. Whoever calls it holds the reconcile lock.
 */
import { dirname, resolve } from "node:path";
import type { Target } from "../../core/config/config.ts";
import type { ServerStatus } from "../../core/control.ts";
import { randomName } from "../../core/names.ts";
import { EnvFiles } from "../env-files/env-files.ts";
import { LinkupError, type ProblemCode, problemOf } from "../problem.ts";
import { KeeperProcess } from "../process/keeper-process.ts";
import { LocalServer, type LocalServerOptions } from "../process/local-server.ts";
import type { SessionRecord, State, Trouble } from "../state/state.ts";
import type { Store } from "../state/store.ts";
import { newConnector, stepConnector, stopConnector } from "../tunnel/connector.ts";
import type { Connector } from "../tunnel/watch.ts";
import { forgetRun, isPresent, isWanted, needsThisMachine } from "./records.ts";
import { fingerprint, servedSession, upsertRequest } from "./routing.ts";
import { resolvesByItself } from "./urls.ts";
import { WorkerClient } from "./worker-client.ts";

/** The lease of sessions that go on without any window. */
export const KEEP_LEASE = "keep";
/** Waits between tries: 1 s, 2 s, 4 s … */
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;

export class Reconciler {
  readonly localServer: LocalServer;
  readonly keeper: KeeperProcess;
  readonly #store: Store;
  readonly #options: LocalServerOptions;
  readonly #envFiles: EnvFiles;

  constructor(options: LocalServerOptions, store: Store) {
    this.#options = options;
    this.#envFiles = new EnvFiles(options.home);
    this.localServer = new LocalServer(options, store);
    this.keeper = new KeeperProcess(options, store);
    this.#store = store;
  }

  /** Never rejects for what fails to run: that is written to the state, to be shown and tried again. */
  async run(now = Date.now()): Promise<void> {
    const { sessions } = await this.#store.read();
    const ended = sessions.filter((record) => !isWanted(record) && isPresent(record));
    await Promise.all(ended.map((record) => this.#tearDown(record)));

    const running = sessions.filter(isWanted);
    // Those of sessions that ended, and those that a crash left.
    for (const { message } of await this.#envFiles.restore(
      ({ session }) => !running.some(({ id }) => id === session),
    ))
      this.#options.log(message);
    if (!running.some(needsThisMachine)) {
      await this.localServer.stop();
      await this.keeper.stop();
      return;
    }
    await this.keeper.ensure();
    const server = await this.localServer.ensure();
    if (!server) return;
    await this.#keep(
      server,
      running.some(({ keep }) => keep),
    );
    await Promise.all(
      running
        .filter(({ trouble }) => !trouble || trouble.retry_at <= now)
        .map((record) => this.#try(record, server)),
    );
    await this.#removeStrangers(server);
  }

  async #keep(server: ServerStatus, keep: boolean): Promise<void> {
    const kept = server.leases.includes(KEEP_LEASE);
    if (keep && !kept) await this.localServer.control.putLease(KEEP_LEASE, { ttl_ms: null });
    if (!keep && kept) await this.localServer.control.deleteLease(KEEP_LEASE);
  }

  async #try(record: SessionRecord, server: ServerStatus): Promise<void> {
    try {
      await this.bringUp(record.id, server);
    } catch (error) {
      if (error instanceof LinkupError && error.problem.code === "session-stopped") return;
      const trouble = troubleOf(error, "worker-failed", record.trouble);
      this.#options.log(`${record.name ?? record.config_path}: ${trouble.problem.message}`);
      await this.#changeRecord(record.id, (record) => {
        record.trouble = trouble;
      });
    }
  }

  /**
   * Gets this session to the local server and, for those that others reach, to the Worker. The local server comes first:
   * so a request never meets a hop that does not know where it goes.
   * Rejects with a LinkupError; `session-stopped` when it is no longer wanted.
   */
  async bringUp(id: string, server: ServerStatus): Promise<void> {
    let record = await this.#wanted(id);
    if (record.kind === "isolated") {
      assertReachable(record);
      if (record.name === null)
        record = await this.#changeRecord(id, (record) => {
          record.name = randomName();
        });
    } else {
      if (record.served !== null) record = await this.#serve(record, server);
      record = await this.#register(record, server);
    }
    record = await this.#serve(record, server);
    await this.#connect(record, server);
    await this.#putEnvFiles(record);
    const { targets } = record;
    await this.#changeRecord(id, (record) => {
      record.confirmed = targets;
      record.trouble = null;
    });
  }

  async #serve(record: SessionRecord, server: ServerStatus): Promise<SessionRecord> {
    const session = servedSession(record);
    const served = fingerprint(session, record.name, server.pid, server.started);
    if (record.served === served && server.sessions.includes(record.name!)) return record;
    await this.localServer.control.putSession(record.name!, session);
    return this.#changeRecord(record.id, (record) => {
      record.served = served;
    });
  }

  async #register(record: SessionRecord, server: ServerStatus): Promise<SessionRecord> {
    const { id, config } = record;
    const worker = new WorkerClient(config.linkup.worker_url, record.worker_token ?? "");
    if (record.worker === null || record.registered === null) {
      const capabilities = (await worker.capabilities()) ?? ORIGINAL_WORKER;
      record = await this.#changeRecord(id, (record) => {
        record.worker = capabilities;
      });
    }
    const tunnelUrl =
      record.worker!.tunnel === "direct" ? `http://127.0.0.1:${server.tunnel_port}` : undefined;
    if (record.registered === fingerprint(worker.url, upsertRequest(record, tunnelUrl))) return record;

    // Until the answer is here nobody knows what the Worker has.
    record = await this.#changeRecord(id, (record) => {
      record.registered = null;
    });
    let session = await worker.putTunneled(upsertRequest(record, tunnelUrl));
    if (!session) {
      this.#options.log(`The name ${record.name} belongs to someone else: asking for another one.`);
      session = await worker.putTunneled(upsertRequest({ ...record, name: null }, tunnelUrl));
    }
    if (!session) {
      throw new LinkupError("name-taken", `The Worker at ${worker.url} gave no name to a new session.`);
    }
    const { session_name, tunnel_data, origin_secret } = session;
    return this.#changeRecord(id, (record) => {
      record.name = session_name;
      record.tunnel = tunnel_data;
      record.origin_secret = origin_secret ?? null;
      record.registered = fingerprint(worker.url, upsertRequest(record, tunnelUrl));
    });
  }

  async #connect(record: SessionRecord, server: ServerStatus): Promise<void> {
    const { id, kind, name, tunnel, worker } = record;
    if (kind !== "tunneled" || worker?.tunnel === "direct") return;
    const wanted = { session: name!, tunnel: tunnel!, port: server.tunnel_port };
    const save = (next: Connector) =>
      this.#changeRecord(id, (record) => {
        record.connector = next;
      });
    try {
      await stepConnector(this.#options, wanted, record.connector ?? newConnector(), save);
    } catch (error) {
      if (error instanceof LinkupError && error.problem.code === "tunnel-refused") {
        await this.#changeRecord(id, (record) => {
          record.registered = null;
        });
      }
      throw error;
    }
  }

  /** The file's own session brings its env files; those beside it do not. */
  async #putEnvFiles({ id, beside, config, config_path, env_files }: SessionRecord): Promise<void> {
    if (beside || config_path === null) return;
    const directories = config.services.flatMap(({ directory }) =>
      directory === undefined ? [] : [resolve(dirname(config_path), directory)],
    );
    if (env_files && JSON.stringify(env_files.directories) === JSON.stringify(directories)) return;
    const problems = await this.#envFiles.apply(id, directories);
    await this.#changeRecord(id, (record) => {
      record.env_files = { directories, problems };
    });
  }

  async #tearDown(record: SessionRecord): Promise<void> {
    const { id, name, config, worker_token, connector } = record;
    if (name !== null) {
      if (connector) await stopConnector(this.#options.home, name, connector);
      if (await this.localServer.control.status().catch(() => undefined))
        await this.localServer.control.deleteSession(name);
      if (record.kind !== "isolated" && record.worker?.capabilities.includes("delete-session")) {
        try {
          await new WorkerClient(config.linkup.worker_url, worker_token ?? "").deleteSession(name);
        } catch (error) {
          // It expires there by itself, and a stop must not depend on the network.
          this.#options.log(`${name} could not be deleted from the Worker: ${(error as Error).message}`);
        }
      }
    }
    await this.#change((state) => {
      const ended = state.sessions.find((record) => record.id === id);
      if (ended && !isWanted(ended)) forgetRun(ended);
      state.sessions = state.sessions.filter((record) => record.id !== id || !record.beside);
    });
  }

  /** Ends sessions of the local server that nobody wants: of a state that was lost, or a name given up. */
  async #removeStrangers(server: ServerStatus): Promise<void> {
    const { sessions } = await this.#store.read();
    const wanted = new Set(sessions.filter(isWanted).map(({ name }) => name));
    for (const name of server.sessions) {
      if (!wanted.has(name)) await this.localServer.control.deleteSession(name);
    }
  }

  /** The record, as long as it is wanted: another process may have stopped it meanwhile. */
  async #wanted(id: string): Promise<SessionRecord> {
    return this.#changeRecord(id, () => {});
  }

  async #changeRecord(id: string, change: (record: SessionRecord) => void): Promise<SessionRecord> {
    return this.#change((state) => {
      const record = state.sessions.find((record) => record.id === id);
      if (!record || !isWanted(record)) {
        throw new LinkupError("session-stopped", `The session ${record?.name ?? ""} was stopped meanwhile.`);
      }
      change(record);
      return structuredClone(record);
    });
  }

  #change<T>(change: (state: State) => T): Promise<T> {
    return this.#store.change(change);
  }
}

/** What a Worker of the original can do; it has no way to say so. */
const ORIGINAL_WORKER = { version: "original", tunnel: "cloudflare" as const, capabilities: [] };

function assertReachable(record: SessionRecord): void {
  const domains = record.config.domains
    .map(({ domain }) => domain)
    .filter((domain) => !resolvesByItself(domain));
  if (domains.length === 0) return;
  throw new LinkupError(
    "no-local-dns",
    `An isolated session needs domains that browsers find on this machine. ${domains.join(", ")} would need local DNS; names under localhost (such as shop.localhost) work by themselves.`,
  );
}

export function troubleOf(error: unknown, code: ProblemCode, before: Trouble | null): Trouble {
  const failures = (before?.failures ?? 0) + 1;
  const wait = Math.min(FIRST_RETRY_MS * 2 ** (failures - 1), LONGEST_RETRY_MS);
  return { problem: problemOf(error, code), failures, retry_at: Date.now() + wait };
}

/** True when every service of the session is where it should be. */
export function isConfirmed(record: SessionRecord, service: string): boolean {
  const target = (targets: Record<string, Target> | null) => targets?.[service] ?? "remote";
  return record.confirmed !== null && target(record.confirmed) === target(record.targets);
}
