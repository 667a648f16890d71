/** Reconciles one session: the local server, the Worker, its tunnel, its env files. */

import { networkInterfaces } from "node:os";
import { dirname, resolve } from "node:path";
import type { ServerStatus } from "../../core/api/control-api.ts";
import { randomName } from "../../core/session/session-name.ts";
import { text } from "../../core/text.ts";
import { EnvFiles } from "../components/env-files/env-files.ts";
import { type ControlClient, STATUS_TIMEOUT_MS } from "../components/local-server/control-client.ts";
import { findCloudflared } from "../components/tunnel/cloudflared-binary.ts";
import type { ConnectorOptions } from "../components/tunnel/connector-process.ts";
import { stepConnector, stopConnector } from "../components/tunnel/connector-supervision.ts";
import type { ProbeTarget } from "../components/tunnel/end-to-end.ts";
import { hasCertificate } from "../components/worker-api/edge-certificates.ts";
import { replacePendingDeletion } from "../components/worker-api/pending-deletions.ts";
import { Registration } from "../components/worker-api/registration.ts";
import { isUdpBlocked, networkKey, withBlockedUdp } from "../model/blocked-udp.ts";
import type { Connector } from "../model/connector.ts";
import { newConnector } from "../model/connector.ts";
import { LinkupError } from "../model/problem.ts";
import { forgetRun, isDesired } from "../model/records.ts";
import { fingerprint, servedSession, serviceHere } from "../model/session-documents.ts";
import type { PendingDeletion, SessionRecord, State } from "../model/state.ts";
import { hostsBeyondCertificates } from "../model/urls.ts";
import { ORIGINAL_WORKER } from "../model/worker-version.ts";
import type { Store } from "../store/store.ts";

/** How often Cloudflare is asked again for a certificate that it did not have. */
const CERTIFICATES_MS = 5 * 60_000;

export class SessionReconciler {
  readonly envFiles: EnvFiles;
  readonly #options: ConnectorOptions;
  readonly #store: Store;
  readonly #control: ControlClient;
  readonly #registration: Registration;
  /** Of the calls to Workers that are in flight, by session id. */
  readonly #calls = new Map<string, AbortController>();

  constructor(options: Omit<ConnectorOptions, "tunnelLogs">, store: Store, control: ControlClient) {
    this.#options = { ...options, tunnelLogs: control };
    this.#store = store;
    this.#control = control;
    this.envFiles = new EnvFiles(options.home);
    this.#registration = new Registration(
      (id, change) => this.change(id, change),
      (id, change) => this.#note(id, change),
      () => findCloudflared(options.env, options.home),
      options.log,
    );
  }

  /**
   * Brings up a session that needs this machine; idempotent.
   * Rejects with a LinkupError; `session-stopped` when it is no longer wanted.
   */
  async bringUp(id: string, server: ServerStatus): Promise<void> {
    const record = await this.route(id, server);
    await this.#putEnvFiles(record);
    // Last: what was changed until then is written together with the new process.
    await this.#connect(record, server);
    await this.#clearError(id);
  }

  /** Keeps a degraded session's tunnel and routes alive while the rest waits for its next try. */
  async maintain(id: string, server: ServerStatus): Promise<void> {
    await this.#connect(await this.#serve(await this.change(id, () => {}), server), server);
  }

  /**
   * Gets a session to the local server and, where others reach it, to the Worker. The local server comes first,
   * so that a request never meets a hop that does not know where it goes.
   */
  async route(id: string, server: ServerStatus): Promise<SessionRecord> {
    let record = await this.change(id, () => {});
    if (record.kind === "isolated") {
      if (record.name === null)
        record = await this.change(id, (record) => {
          record.name = randomName();
        });
    } else {
      if (record.local_server_hash !== null) record = await this.#serve(record, server);
      record = await this.#register(record, `http://127.0.0.1:${server.tunnel_port}`);
    }
    return this.#confirm(await this.#serve(record, server));
  }

  /** Brings up a preview, which exists on the Worker only. A local server that runs follows its requests there. */
  async publish(id: string, server: ServerStatus | undefined): Promise<void> {
    const registered = await this.#register(await this.change(id, () => {}), undefined);
    await this.#confirm(server ? await this.#serve(registered, server) : registered);
    await this.#clearError(id);
  }

  /** Gives up waiting for the Workers of sessions that are no longer wanted. */
  async cancelUnwanted(): Promise<void> {
    for (const { id, desired } of (await this.#store.read()).sessions)
      if (desired === "stopped") this.cancel(id, new DOMException("The session was stopped.", "AbortError"));
  }

  /** Gives up waiting for a session's Worker; `route`, `bringUp` and `publish` then reject with this reason. */
  cancel(id: string, reason: unknown): void {
    this.#calls.get(id)?.abort(reason);
  }

  async #register(record: SessionRecord, tunnelUrl: string | undefined): Promise<SessionRecord> {
    const call = new AbortController();
    this.#calls.set(record.id, call);
    try {
      const registered = await this.#registration.register(record, tunnelUrl, call.signal);
      return await this.#checkCertificates(registered);
    } finally {
      this.#calls.delete(record.id);
    }
  }

  /** Only of hosts that Cloudflare's own certificates do not cover. */
  async #checkCertificates(record: SessionRecord): Promise<SessionRecord> {
    const hosts = hostsBeyondCertificates(record);
    const { hosts: covered = [], checked_at = 0 } = record.edge_certificates ?? {};
    const now = Date.now();
    const due = hosts.filter((host) => !covered.includes(host));
    if (due.length === 0 || now - checked_at < CERTIFICATES_MS) return record;
    const found = await Promise.all(due.map(async (host) => ((await hasCertificate(host)) ? [host] : [])));
    return this.change(record.id, (record) => {
      record.edge_certificates = { hosts: [...covered, ...found.flat()], checked_at: now };
    });
  }

  /** Ends every cloudflared; the next reconcile starts new ones. */
  async disconnect(): Promise<void> {
    for (const { id, name, connector } of (await this.#store.read()).sessions) {
      if (name === null || !connector?.process) continue;
      await stopConnector(this.#options, name, connector);
      await this.#store.change(({ sessions }) => {
        const record = sessions.find((record) => record.id === id);
        if (record?.connector) record.connector = newConnector();
      });
    }
  }

  /** Takes a session down everywhere. A failed deletion on the Worker is retried later. */
  async tearDown(record: SessionRecord): Promise<void> {
    const { id } = record;
    const left = await this.takeDown(record);
    await this.#store.change((state) => {
      const ended = state.sessions.find((record) => record.id === id);
      if (ended && !isDesired(ended)) forgetRun(ended, Date.now());
      if (left) replacePendingDeletion(state, left, left);
      state.sessions = state.sessions.filter(
        (record) => record.id !== id || !record.secondary || isDesired(record),
      );
    });
  }

  /**
   * Like `stop`, without updating the state. What fails on this machine does not keep the Worker from being told.
   * Returns the pending deletion, if any.
   */
  async takeDown(record: SessionRecord): Promise<PendingDeletion | undefined> {
    const { kind, name, connector } = record;
    if (name === null) return undefined;
    const told = kind === "isolated" ? undefined : this.#registration.unregister(record, name);
    try {
      if (connector) await stopConnector(this.#options, name, connector);
      if (
        record.local_server_hash !== null &&
        (await this.#control.status(STATUS_TIMEOUT_MS).catch(() => undefined))
      )
        await this.#control.deleteSession(name);
    } finally {
      await told;
    }
    return told;
  }

  async #serve(record: SessionRecord, server: ServerStatus): Promise<SessionRecord> {
    const session = servedSession(record);
    const local_server_hash = fingerprint(session, record.name, server.pid, server.started);
    if (record.local_server_hash === local_server_hash && server.sessions.includes(record.name!))
      return record;
    await this.#control.putSession(record.name!, session);
    return this.change(record.id, (record) => {
      record.local_server_hash = local_server_hash;
    });
  }

  async #connect(record: SessionRecord, server: ServerStatus): Promise<void> {
    const { id, kind, name, tunnel, worker } = record;
    if (kind !== "tunneled" || worker?.tunnel === "direct") return;
    const network = networkKey(networkInterfaces());
    const { blocked_udp } = await this.#store.read();
    const wanted = {
      session: name!,
      tunnel: tunnel!,
      port: server.tunnel_port,
      udpBlocked: isUdpBlocked(blocked_udp, network, Date.now()),
      probe: probeTargetOf(record),
    };
    const save = async (next: Connector) => {
      await this.change(id, (record) => {
        record.connector = next;
      });
      // Nothing but the state knows of it.
      if (next.process && next.process.pid !== record.connector?.process?.pid) await this.#store.flush();
    };
    const before = record.connector ?? newConnector();
    const after = await stepConnector(this.#options, wanted, before, save);
    if (after.refused !== null && after.refusals > before.refusals) {
      await this.change(id, (record) => {
        record.worker_hash = null;
      });
    }
    const fellBack = after.protocol === "http2" && after.was_ready && !before.was_ready;
    if (fellBack && !wanted.udpBlocked && network !== undefined)
      await this.#store.change((state) => {
        state.blocked_udp = withBlockedUdp(state.blocked_udp, network, Date.now());
      });
  }

  /** Only primary sessions apply env files. */
  async #putEnvFiles({ id, secondary, config, config_path, env_files }: SessionRecord): Promise<void> {
    if (secondary || config_path === null) return;
    const folder = dirname(config_path);
    const directories = config.services.flatMap(({ directory }) =>
      directory === undefined ? [] : [resolve(folder, directory)],
    );
    if (env_files && JSON.stringify(env_files.directories) === JSON.stringify(directories)) return;
    const problems = await this.envFiles.apply(id, directories, folder);
    await this.change(id, (record) => {
      record.env_files = { directories, problems };
    });
  }

  async #confirm({ id, targets }: SessionRecord): Promise<SessionRecord> {
    return this.change(id, (record) => {
      record.confirmed = targets;
    });
  }

  async #clearError(id: string): Promise<void> {
    await this.change(id, (record) => {
      record.last_error = null;
    });
  }

  /** Changes the record of a session that should run: another process may have stopped it meanwhile. */
  async change(id: string, change: (record: SessionRecord) => void): Promise<SessionRecord> {
    return this.#store.change((state: State) => {
      const record = state.sessions.find((record) => record.id === id);
      if (!record || !isDesired(record)) {
        throw new LinkupError(
          "session-stopped",
          text("The session {0} was stopped in the meantime.", record?.name ?? ""),
        );
      }
      change(record);
      return structuredClone(record);
    });
  }

  /** Writes down what exists on a Worker, also of a session that was stopped meanwhile: it has to be deleted there. */
  async #note(id: string, change: (record: SessionRecord) => void): Promise<void> {
    await this.#store.change(({ sessions }) => sessions.filter((record) => record.id === id).forEach(change));
  }
}

/** How a request gets to a service on this machine through the Worker. */
function probeTargetOf(record: SessionRecord): ProbeTarget | undefined {
  const service = serviceHere(record);
  if (service === undefined) return undefined;
  const { config, name, session_token, worker } = record;
  return {
    workerUrl: config.linkup.worker_url,
    session: name!,
    sessionToken: session_token,
    domain: config.domains[0]!.domain,
    service,
    countsHops: worker?.version !== ORIGINAL_WORKER.version,
  };
}
