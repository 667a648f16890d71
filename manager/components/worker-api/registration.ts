/** Keeps a session registered on its Worker: sent when it changes, checked periodically, deleted at the end. */
import { ACCESS_CAPABILITY } from "../../../core/api/access-api.ts";
import { SESSION_TARGETS_CAPABILITY, type TunneledSession } from "../../../core/api/worker-api.ts";
import { sessionOfTarget } from "../../../core/config/model/target.ts";
import { text } from "../../../core/text.ts";
import { LinkupError, updateWorker } from "../../model/problem.ts";
import { fingerprint, upsertRequest } from "../../model/session-documents.ts";
import type { PendingDeletion, SessionRecord } from "../../model/state.ts";
import { ORIGINAL_WORKER } from "../../model/worker-version.ts";
import { assertOriginalDialect } from "./original-worker.ts";
import { deleteFromWorker, pendingDeletion } from "./pending-deletions.ts";
import { WorkerClient } from "./worker-client.ts";

/** How often the Worker is checked for a session that it may have forgotten. */
const CHECK_MS = 60_000;
/** The same for where other sessions have the services that it takes from them. */
const FOLLOW_MS = 10_000;
/** How often an unchanged session is sent again: the Worker deletes tunnels unused for a week. */
const RENEW_MS = 12 * 3600_000;
/** How long a cancelled start waits for the name of what the Worker is making: without it nothing could be deleted. */
const NAME_GRACE_MS = 3_000;

/** Changes the record with this id. Rejects when it is no longer wanted. */
export type ChangeRecord = (id: string, change: (record: SessionRecord) => void) => Promise<SessionRecord>;
/** The same for what must be known of an unwanted session too. */
export type ChangeAnyRecord = (id: string, change: (record: SessionRecord) => void) => Promise<void>;

export class Registration {
  readonly #change: ChangeRecord;
  readonly #note: ChangeAnyRecord;
  readonly #checkTunnel: () => Promise<unknown>;
  readonly #log: (line: string) => void;

  /** `checkTunnel` rejects where cloudflared is missing: then no session is made that nothing could reach. */
  constructor(
    change: ChangeRecord,
    note: ChangeAnyRecord,
    checkTunnel: () => Promise<unknown>,
    log: (line: string) => void,
  ) {
    this.#change = change;
    this.#note = note;
    this.#checkTunnel = checkTunnel;
    this.#log = log;
  }

  /**
   * `tunnelUrl`: the local server's address for a Worker on this machine. `signal` gives up waiting for the Worker; then it
   * rejects with the signal's reason.
   */
  async register(
    before: SessionRecord,
    tunnelUrl: string | undefined,
    signal: AbortSignal,
  ): Promise<SessionRecord> {
    try {
      return await this.#follow(await this.#registered(before, tunnelUrl, signal), signal);
    } catch (error) {
      // The Worker may have it nevertheless.
      if (signal.aborted && before.name !== null)
        await this.#note(before.id, (record) => {
          record.worker_hash ??= "unknown";
        });
      throw error;
    }
  }

  /** Asks the Worker where it finds the services that other sessions serve: those may end, or stop to share them. */
  async #follow(record: SessionRecord, signal: AbortSignal): Promise<SessionRecord> {
    const { id, name, config, worker, worker_token, targets, followed } = record;
    const wanted = Object.values(targets).filter((target) => sessionOfTarget(target) !== undefined).length;
    if (name === null || (wanted === 0 && !followed)) return record;
    if (!worker?.capabilities.includes(SESSION_TARGETS_CAPABILITY)) return record;
    const now = Date.now();
    const isKnown = followed && Object.keys(followed.fallbacks).length === wanted;
    if (isKnown && record.registered_at < followed.at && now - followed.at < FOLLOW_MS) return record;
    const client = new WorkerClient(config.linkup.worker_url, worker_token ?? "", undefined, signal);
    const found = await client.sessionTargets(name);
    return this.#change(id, (record) => {
      const all = Object.entries(found?.targets ?? {});
      record.followed = {
        at: Date.now(),
        fallbacks: Object.fromEntries(all.map(([service, { fallback }]) => [service, fallback])),
      };
      if (wanted === 0) delete record.followed;
    });
  }

  async #registered(
    before: SessionRecord,
    tunnelUrl: string | undefined,
    signal: AbortSignal,
  ): Promise<SessionRecord> {
    const { id, kind, config, name } = before;
    const client = (signal: AbortSignal) =>
      new WorkerClient(config.linkup.worker_url, before.worker_token ?? "", undefined, signal);
    const worker = client(signal);
    const registrar = name === null ? client(delayed(signal, NAME_GRACE_MS)) : worker;
    let record = before;
    if (record.worker === null || record.worker_hash === null) {
      const capabilities = (await worker.capabilities()) ?? ORIGINAL_WORKER;
      record = await this.#change(id, (record) => {
        record.worker = capabilities;
      });
    }
    const request = (record: SessionRecord) =>
      upsertRequest(record, record.worker?.tunnel === "direct" ? tunnelUrl : undefined);
    // The remaining seconds differ each time; the end stays.
    const hash = (record: SessionRecord) =>
      fingerprint(worker.url, { ...request(record), expires_in: record.expires_at });
    if (record.worker_hash === hash(record) && !(await this.#isForgotten(worker, record))) return record;

    const isUnguessable = request(record).access === "unguessable";
    if (isUnguessable && !record.worker?.capabilities.includes("unguessable-names"))
      throw new LinkupError(
        "worker-failed",
        `The Worker at ${worker.url} cannot give the session an unguessable name. Update the Worker, or start the session with access: public.`,
        [updateWorker],
      );

    const isPrivate = request(record).access === "private";
    if (isPrivate && !record.worker?.capabilities.includes(ACCESS_CAPABILITY)) throw neverPrivate(worker.url);
    if (record.share_targets && !record.worker?.capabilities.includes(SESSION_TARGETS_CAPABILITY))
      throw new LinkupError(
        "worker-failed",
        text(
          "The Worker at {0} cannot let other sessions route to the services of this one. Update the Worker.",
          worker.url,
        ),
        [updateWorker],
      );
    const borrowed = request(record).services.find(({ session }) => session !== undefined);
    if (borrowed && !record.worker?.capabilities.includes(SESSION_TARGETS_CAPABILITY))
      throw new LinkupError(
        "worker-failed",
        text(
          "The Worker at {0} cannot route {1} to the session {2}. Update the Worker, or choose another target.",
          worker.url,
          borrowed.name,
          borrowed.session!,
        ),
        [updateWorker],
      );

    if (record.expires_at !== undefined && !record.worker?.capabilities.includes("expiry"))
      throw new LinkupError(
        "worker-failed",
        text(
          "The Worker at {0} cannot end a session at a given time. Update the Worker, or omit the expiry.",
          worker.url,
        ),
        [updateWorker],
      );

    if (record.worker?.version === ORIGINAL_WORKER.version)
      assertOriginalDialect(request(record), worker.url);

    if (kind === "tunneled" && record.tunnel === null && record.worker?.tunnel !== "direct")
      await this.#checkTunnel();
    signal.throwIfAborted();
    // Until the response arrives it is unknown what the Worker has.
    record = await this.#change(id, (record) => {
      record.worker_hash = null;
    });
    if (kind === "preview") {
      const preview = await registrar.putPreview(request(record));
      if (!preview) throw nameTaken(record.name, worker.url);
      if (!isUnguessable && record.name !== null && preview.session_name !== record.name)
        throw otherName(record.name, preview.session_name, worker.url);
      if (isPrivate && preview.access !== "private") {
        await this.unregister(record, preview.session_name);
        throw neverPrivate(worker.url);
      }
      await this.#note(id, (record) => {
        record.name = preview.session_name;
        noteAccess(record, preview);
        registeredNow(record);
        record.worker_hash = hash(record);
      });
      return this.#change(id, () => {});
    }
    const { connector, tunnel } = record;
    const refused = connector?.refused && connector.refused === tunnel?.id ? connector.refused : null;
    let session = await registrar.putTunneled(request(record), refused);
    const isGranted =
      session?.session_name === record.name ||
      (isUnguessable && session?.session_name.startsWith(`${record.name}-`));
    if (record.name_asked && !isGranted) {
      // An original Worker assigns another name at once.
      if (session) await this.unregister(record, session.session_name);
      throw nameTaken(record.name, worker.url);
    }
    if (!session) {
      this.#log(`The name ${record.name} belongs to another session: asking for a free one.`);
      session = await registrar.putTunneled(request({ ...record, name: null }));
    }
    if (!session) throw nameTaken(record.name, worker.url);
    const { session_name, tunnel_data, origin_secret } = session;
    if (isPrivate && session.access !== "private") {
      await this.unregister(record, session_name);
      throw neverPrivate(worker.url);
    }
    await this.#note(id, (record) => {
      record.name = session_name;
      delete record.name_asked;
      registeredNow(record);
      record.tunnel = tunnel_data;
      record.origin_secret = origin_secret ?? null;
      noteAccess(record, session);
      record.worker_hash = hash(record);
    });
    return this.#change(id, () => {});
  }

  /** True when the Worker no longer knows the session. The check also renews the session's expiry there. */
  async #isForgotten(client: WorkerClient, record: SessionRecord): Promise<boolean> {
    const { id, name, worker, checked_at, registered_at } = record;
    const now = Date.now();
    // One that ends at a given time is neither renewed nor made again after somebody deleted it.
    if (record.expires_at !== undefined) return false;
    if (now - registered_at > RENEW_MS) return true;
    if (!worker?.capabilities.includes("inspect-session") || now - checked_at < CHECK_MS) return false;
    const known = await client.hasSession(name!);
    await this.#change(id, (record) => {
      record.checked_at = now;
    });
    return !known;
  }

  /** Deletes the session there. Never rejects, because a stop must not depend on the network: returns the pending deletion. */
  async unregister(
    { kind, secondary, worker, worker_token, session_token, config }: SessionRecord,
    name: string,
  ): Promise<PendingDeletion | undefined> {
    if (!worker?.capabilities.includes("delete-session")) return undefined;
    // Secondary sessions are forgotten, so nobody would find theirs again.
    const keep = kind === "tunneled" && !secondary ? { keep_tunnel: true as const } : {};
    const session = {
      name,
      worker_url: config.linkup.worker_url,
      worker_token: worker_token ?? "",
      session_token,
      ...keep,
    };
    try {
      await deleteFromWorker(session);
      return undefined;
    } catch (error) {
      this.#log(`${name} could not be deleted from the Worker: ${(error as Error).message}`);
      return pendingDeletion(session, error as Error, Date.now());
    }
  }
}

/** Aborts some time after the other one. */
function delayed(signal: AbortSignal, ms: number): AbortSignal {
  const late = new AbortController();
  const abort = () => void setTimeout(() => late.abort(signal.reason), ms).unref();
  signal.addEventListener("abort", abort, { once: true });
  return late.signal;
}

/** A session that should be private is never served otherwise. */
function neverPrivate(workerUrl: string): LinkupError {
  return new LinkupError(
    "access-unsupported",
    text(
      "The Worker at {0} cannot keep a session private. Update the Worker, or make the session public (linkup start --public): then everyone who knows its URL can open it.",
      workerUrl,
    ),
    [updateWorker],
  );
}

/** What the Worker of an earlier version does not say is gone. */
function noteAccess(
  record: SessionRecord,
  { access, trace_key }: Pick<TunneledSession, "access" | "trace_key">,
): void {
  delete record.confirmed_access;
  delete record.trace_key;
  if (access !== undefined) record.confirmed_access = access;
  if (trace_key !== undefined) record.trace_key = trace_key;
}

function registeredNow(record: SessionRecord): void {
  record.registered_at = Date.now();
  record.checked_at = record.registered_at;
}

/** The preview that the Worker has made is nobody's wish: it expires there. */
function otherName(name: string, given: string, workerUrl: string): LinkupError {
  return new LinkupError(
    "worker-failed",
    text("The Worker at {0} named the preview {1}, not {2}.", workerUrl, given, name),
  );
}

function nameTaken(name: string | null, workerUrl: string): LinkupError {
  return new LinkupError(
    "name-taken",
    text(
      "The name {0} belongs to another session on {1}. Choose another with --name, or omit it to get a free one.",
      name ?? "",
      workerUrl,
    ),
  );
}
