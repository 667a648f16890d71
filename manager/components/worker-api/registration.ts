/** What the Worker knows of a session: told when it changes, asked now and then, taken back at the end. */
import { LinkupError } from "../../model/problem.ts";
import { fingerprint, upsertRequest } from "../../model/routing.ts";
import type { SessionRecord, Undeleted } from "../../model/state.ts";
import { deleteThere, leftThere } from "./undeleted.ts";
import { ORIGINAL_WORKER } from "./worker-answers.ts";
import { WorkerClient } from "./worker-client.ts";

/** How often the Worker is asked whether it still knows a session. */
const CHECK_MS = 60_000;
/** How often it is told anew, though nothing changed: a tunnel that is not started for a week is deleted. */
const RENEW_MS = 12 * 3600_000;

/** Changes the record of this id, and rejects when it is no longer wanted. */
export type Change = (id: string, change: (record: SessionRecord) => void) => Promise<SessionRecord>;

export class Registration {
  readonly #change: Change;
  readonly #log: (line: string) => void;

  constructor(change: Change, log: (line: string) => void) {
    this.#change = change;
    this.#log = log;
  }

  /** `tunnelUrl`: where a Worker on this machine finds the local server. */
  async register(before: SessionRecord, tunnelUrl: string | undefined): Promise<SessionRecord> {
    const { id, kind, config } = before;
    const worker = new WorkerClient(config.linkup.worker_url, before.worker_token ?? "");
    let record = before;
    if (record.worker === null || record.registered === null) {
      const capabilities = (await worker.capabilities()) ?? ORIGINAL_WORKER;
      record = await this.#change(id, (record) => {
        record.worker = capabilities;
      });
    }
    const request = (record: SessionRecord) =>
      upsertRequest(record, record.worker?.tunnel === "direct" ? tunnelUrl : undefined);
    if (
      record.registered === fingerprint(worker.url, request(record)) &&
      !(await this.#isForgotten(worker, record))
    )
      return record;

    // Until the answer is here nobody knows what the Worker has.
    record = await this.#change(id, (record) => {
      record.registered = null;
    });
    if (kind === "preview") {
      const preview = await worker.putPreview(request(record));
      if (!preview) throw nameTaken(record.name, worker.url);
      return this.#change(id, (record) => {
        record.name = preview.session_name;
        registeredNow(record);
        record.registered = fingerprint(worker.url, request(record));
      });
    }
    let session = await worker.putTunneled(request(record));
    if (record.name_asked && session?.session_name !== record.name) {
      // A Worker of the original gives another one at once.
      if (session) await this.unregister(record, session.session_name);
      throw nameTaken(record.name, worker.url);
    }
    if (!session) {
      this.#log(`The name ${record.name} belongs to someone else: asking for another one.`);
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
      record.registered = fingerprint(worker.url, request(record));
    });
  }

  /** Now and then: does the Worker still know it? This also renews what expires there unused. */
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

  /** A stop must not depend on the network: returns what the Worker could not be told. */
  async unregister(
    { worker, worker_token, config }: SessionRecord,
    name: string,
  ): Promise<Undeleted | undefined> {
    if (!worker?.capabilities.includes("delete-session")) return undefined;
    const session = { name, worker_url: config.linkup.worker_url, worker_token: worker_token ?? "" };
    try {
      await deleteThere(session);
      return undefined;
    } catch (error) {
      this.#log(`${name} could not be deleted from the Worker: ${(error as Error).message}`);
      return leftThere(session, error as Error, Date.now());
    }
  }
}

function registeredNow(record: SessionRecord): void {
  record.registered_at = Date.now();
  record.checked_at = record.registered_at;
}

function nameTaken(name: string | null, workerUrl: string): LinkupError {
  return new LinkupError(
    "name-taken",
    `The name ${name ?? "that the Worker chose"} belongs to another session on ${workerUrl}. Choose another one with --name, or none: then it gets one that is free.`,
  );
}
