/** Applies the changes of the routing that invited people ask for at the Worker, as toggles of this machine. */
import type { ServerStatus } from "../../core/api/control-api.ts";
import { ROUTING_REQUESTS_CAPABILITY, type RoutingRequest } from "../../core/api/routing-requests-api.ts";
import { WorkerClient } from "../components/worker-api/worker-client.ts";
import { applyTarget } from "../model/intents.ts";
import { isDesired } from "../model/records.ts";
import type { SessionRecord } from "../model/state.ts";
import type { Store } from "../store/store.ts";
import type { SessionReconciler } from "./session-reconciler.ts";

/** How often the Worker is asked while somebody may ask it. */
const POLL_MS = 1_500;
/** A Worker that is slow must not hold up the user's own toggles. */
const PATIENCE_MS = 3_000;
const MAX_OUTCOMES = 200;

export class RoutingRequestFollower {
  readonly #store: Store;
  readonly #sessions: SessionReconciler;
  readonly #log: (line: string) => void;
  #asked = Number.NEGATIVE_INFINITY;
  /**
   * What became of changes of which the Worker has not heard that yet, by their ids: one is made once, and not again over what
   * the owner has toggled since.
   */
  readonly #outcomes = new Map<string, string | null>();

  constructor(store: Store, sessions: SessionReconciler, log: (line: string) => void) {
    this.#store = store;
    this.#sessions = sessions;
    this.#log = log;
  }

  /** In a transaction of the store. Never rejects: the next round tries again. */
  async run(records: readonly SessionRecord[], server: ServerStatus, now: number): Promise<void> {
    const open = records.filter((record) => isOpen(record, now));
    if (open.length === 0 || performance.now() - this.#asked < POLL_MS) return;
    this.#asked = performance.now();
    await Promise.all(
      open.map((record) =>
        this.#follow(record, server).catch((error: Error) => this.#log(`${record.name}: ${error.message}`)),
      ),
    );
  }

  async #follow(record: SessionRecord, server: ServerStatus): Promise<void> {
    const { name, config, worker_token, session_token } = record;
    const worker = new WorkerClient(config.linkup.worker_url, worker_token ?? "", PATIENCE_MS);
    for (const request of await worker.routingRequests(name!, session_token)) {
      const error = await this.#outcomeOf(record, request, server);
      await worker.answerRouting(name!, request.id, error, session_token);
      this.#outcomes.delete(request.id);
    }
  }

  /** Why it failed; null when it was made. */
  async #outcomeOf(
    { id, name }: SessionRecord,
    request: RoutingRequest,
    server: ServerStatus,
  ): Promise<string | null> {
    const known = this.#outcomes.get(request.id);
    if (known !== undefined) return known;
    const error = await this.#apply(id, request, server).then(
      () => null,
      (error: Error) => error.message,
    );
    this.#outcomes.set(request.id, error);
    if (this.#outcomes.size > MAX_OUTCOMES) this.#outcomes.delete(this.#outcomes.keys().next().value!);
    this.#log(
      `${name}: ${request.by} routed ${JSON.stringify(request.services)}${error ? `: ${error}` : ""}`,
    );
    return error;
  }

  /** Everywhere or nowhere. */
  async #apply(id: string, { services, by }: RoutingRequest, server: ServerStatus): Promise<void> {
    const before = await this.#store.change((state) => {
      const record = state.sessions.find((each) => each.id === id)!;
      const { targets, routed_by } = record;
      for (const [service, target] of Object.entries(services))
        applyTarget(state, { name: record.name! }, [service], target);
      record.routed_by = {
        ...record.routed_by,
        ...Object.fromEntries(Object.keys(services).map((service) => [service, by])),
      };
      return { targets, routed_by };
    });
    try {
      await this.#sessions.route(id, server);
    } catch (error) {
      await this.#store.change(({ sessions }) => {
        for (const record of sessions) if (record.id === id) Object.assign(record, before);
      });
      throw error;
    }
  }
}

function isOpen(record: SessionRecord, now: number): boolean {
  const { kind, may_route_until = 0, confirmed, worker } = record;
  return (
    isDesired(record) &&
    kind === "tunneled" &&
    may_route_until > now &&
    confirmed !== null &&
    (worker?.capabilities.includes(ROUTING_REQUESTS_CAPABILITY) ?? false)
  );
}
