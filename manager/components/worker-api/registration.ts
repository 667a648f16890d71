/** Keeps a session registered on its Worker: sent when it changes, checked periodically, deleted at the end. */
import { text } from "../../../core/text.ts";
import { fingerprint, upsertRequest } from "../../model/documents.ts";
import { LinkupError, redeploy } from "../../model/problem.ts";
import type { PendingDeletion, SessionRecord } from "../../model/state.ts";
import { assertOriginalDialect } from "./original-worker.ts";
import { deleteFromWorker, pendingDeletion } from "./pending-deletions.ts";
import { ORIGINAL_WORKER } from "./worker-answers.ts";
import { WorkerClient } from "./worker-client.ts";

/** How often the Worker is checked for a session that it may have forgotten. */
const CHECK_MS = 60_000;
/** How often an unchanged session is sent again: the Worker deletes tunnels unused for a week. */
const RENEW_MS = 12 * 3600_000;

/** Changes the record with this id. Rejects when it is no longer wanted. */
export type ChangeRecord = (id: string, change: (record: SessionRecord) => void) => Promise<SessionRecord>;

export class Registration {
  readonly #change: ChangeRecord;
  readonly #log: (line: string) => void;

  constructor(change: ChangeRecord, log: (line: string) => void) {
    this.#change = change;
    this.#log = log;
  }

  /** `tunnelUrl`: the local server's address for a Worker on this machine. */
  async register(before: SessionRecord, tunnelUrl: string | undefined): Promise<SessionRecord> {
    const { id, kind, config } = before;
    const worker = new WorkerClient(config.linkup.worker_url, before.worker_token ?? "");
    let record = before;
    if (record.worker === null || record.worker_hash === null) {
      const capabilities = (await worker.capabilities()) ?? ORIGINAL_WORKER;
      record = await this.#change(id, (record) => {
        record.worker = capabilities;
      });
    }
    const request = (record: SessionRecord) =>
      upsertRequest(record, record.worker?.tunnel === "direct" ? tunnelUrl : undefined);
    if (
      record.worker_hash === fingerprint(worker.url, request(record)) &&
      !(await this.#isForgotten(worker, record))
    )
      return record;

    const isUnguessable = request(record).access === "unguessable";
    if (isUnguessable && !record.worker?.capabilities.includes("unguessable-names"))
      throw new LinkupError(
        "worker-failed",
        `The Worker at ${worker.url} cannot give the session an unguessable name. Update the Worker, or start the session with access: public.`,
        [redeploy],
      );

    if (record.worker?.version === ORIGINAL_WORKER.version)
      assertOriginalDialect(request(record), worker.url);

    // Until the response arrives it is unknown what the Worker has.
    record = await this.#change(id, (record) => {
      record.worker_hash = null;
    });
    if (kind === "preview") {
      const preview = await worker.putPreview(request(record));
      if (!preview) throw nameTaken(record.name, worker.url);
      if (!isUnguessable && record.name !== null && preview.session_name !== record.name)
        throw otherName(record.name, preview.session_name, worker.url);
      return this.#change(id, (record) => {
        record.name = preview.session_name;
        registeredNow(record);
        record.worker_hash = fingerprint(worker.url, request(record));
      });
    }
    let session = await worker.putTunneled(request(record));
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
      session = await worker.putTunneled(request({ ...record, name: null }));
    }
    if (!session) throw nameTaken(record.name, worker.url);
    const { session_name, tunnel_data, origin_secret } = session;
    return this.#change(id, (record) => {
      record.name = session_name;
      delete record.name_asked;
      registeredNow(record);
      record.tunnel = tunnel_data;
      record.origin_secret = origin_secret ?? null;
      record.worker_hash = fingerprint(worker.url, request(record));
    });
  }

  /** True when the Worker no longer knows the session. The check also renews the session's expiry there. */
  async #isForgotten(client: WorkerClient, record: SessionRecord): Promise<boolean> {
    const { id, name, worker, checked_at, registered_at } = record;
    const now = Date.now();
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
    { worker, worker_token, config }: SessionRecord,
    name: string,
  ): Promise<PendingDeletion | undefined> {
    if (!worker?.capabilities.includes("delete-session")) return undefined;
    const session = { name, worker_url: config.linkup.worker_url, worker_token: worker_token ?? "" };
    try {
      await deleteFromWorker(session);
      return undefined;
    } catch (error) {
      this.#log(`${name} could not be deleted from the Worker: ${(error as Error).message}`);
      return pendingDeletion(session, error as Error, Date.now());
    }
  }
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
