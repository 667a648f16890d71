/** Watches the sessions of this machine at the Worker, while somebody follows the request log. */
import type { EdgeReport } from "../../core/api/edge-report-api.ts";
import type { EdgeState, EdgeStatus } from "../../core/api/request-log-api.ts";
import type { Served, Sessions } from "../served-sessions.ts";
import { EdgeConnection } from "./edge-connection.ts";

/** A window that reloads follows again. */
const LINGER_MS = 15_000;

export interface EdgeEvents {
  statusChanged(status: EdgeStatus): void;
  reported(session: Served, report: EdgeReport, offsetMs: number): void;
  dropped(count: number): void;
}

export class EdgeWatch {
  readonly #sessions: Sessions;
  readonly #events: EdgeEvents;
  readonly #connections = new Map<string, { key: string; connection: EdgeConnection }>();
  /** What followers were last told, by session. */
  readonly #announced = new Map<string, EdgeState>();
  #followers = 0;
  #lingering: NodeJS.Timeout | undefined;
  /** While somebody follows: how to hear no more of sessions. */
  #unsubscribe: (() => void) | undefined;

  constructor(sessions: Sessions, events: EdgeEvents) {
    this.#sessions = sessions;
    this.#events = events;
  }

  /** Call the result once when this follower is gone. */
  follow(): () => void {
    this.#followers++;
    clearTimeout(this.#lingering);
    this.#unsubscribe ??= this.#sessions.onDidChange(() => this.#sync());
    this.#sync();
    let gone = false;
    return () => {
      if (gone) return;
      gone = true;
      if (--this.#followers === 0) this.#lingering = setTimeout(() => this.end(), LINGER_MS);
    };
  }

  /** Of each session that the Worker serves too. */
  get statuses(): EdgeStatus[] {
    return [...this.#sessions.followed()].flatMap((served) => this.#statusOf(served) ?? []);
  }

  /** A request of this session that did not pass the Worker. */
  tellTrace(session: string, trace: string): void {
    this.#connections.get(session)?.connection.tellTrace(trace);
  }

  end(): void {
    clearTimeout(this.#lingering);
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    for (const { connection } of this.#connections.values()) connection.end();
    this.#connections.clear();
    this.#announced.clear();
  }

  #statusOf({ name, session, edge }: Served): EdgeStatus | undefined {
    if (session.kind === "isolated" || edge === undefined) return undefined;
    if (edge === null) return { session: name, state: "unsupported" };
    return { session: name, state: this.#connections.get(name)?.connection.state ?? "connecting" };
  }

  #sync(): void {
    for (const [name, { connection }] of this.#connections) {
      if (this.#sessions.followedAs(name)) continue;
      connection.end();
      this.#connections.delete(name);
    }
    for (const served of this.#sessions.followed()) if (served.edge) this.#connect(served, served.edge);
    this.#announce();
  }

  #announce(): void {
    for (const status of this.statuses) {
      if (this.#announced.get(status.session) === status.state) continue;
      this.#announced.set(status.session, status.state);
      this.#events.statusChanged(status);
    }
  }

  #connect({ name, session }: Served, { url, token }: NonNullable<Served["edge"]>): void {
    const address = {
      url: `${url}/linkup/v2/sessions/${encodeURIComponent(name)}/watch`,
      token,
      sessionToken: session.session_token,
    };
    const key = JSON.stringify(address);
    const known = this.#connections.get(name);
    if (known?.key === key) return;
    known?.connection.end();
    const connection = new EdgeConnection(address, {
      stateChanged: () => this.#announce(),
      reported: ({ reports, dropped }, offsetMs) => {
        const served = this.#sessions.followedAs(name);
        if (!served) return;
        for (const report of reports) this.#events.reported(served, report, offsetMs);
        if (dropped > 0) this.#events.dropped(dropped);
      },
    });
    this.#connections.set(name, { key, connection });
  }
}
