/** Those who watch a session's requests: WebSockets that hibernate with the session's object. */
import { type EdgeClock, MAX_KNOWN_TRACES } from "../../core/api/edge-report-api.ts";

/** Of one session. Each gets every report. */
const MAX_WATCHERS = 8;
/** Reports in a second, of all isolates together; the others are counted. */
const MAX_PER_SECOND = 1_000;
/** Trace ids of the session's latest requests. In memory: what matters is what came within seconds. */
const MAX_TRACES = 4_000;
/** A service calls others before it answers itself, so a lost request may come before its trace is known. */
const MAX_PENDING = 100;
const PENDING_MS = 30_000;
/** A message is smaller than a WebSocket takes: 1 MiB. */
const MAX_MESSAGE = 900_000;
/** Of a watcher's message: `{"traces":["…"]}`. */
const MAX_WATCHER_MESSAGE = 20 + 35 * MAX_KNOWN_TRACES;

/** JSON texts. */
export interface ReportBatch {
  /** The members of `EdgeReports.lines`, which these reports refer to. */
  lines: string;
  /** `SentEdgeReport`s. */
  reports: string[];
}

export class Watchers {
  readonly #state: DurableObjectState;
  readonly #traces = new Set<string>();
  #pending: { trace: string; batch: ReportBatch; at: number }[] = [];
  #second = 0;
  #reported = 0;
  #dropped = 0;

  constructor(state: DurableObjectState) {
    this.#state = state;
  }

  get isWatched(): boolean {
    return this.#state.getWebSockets().length > 0;
  }

  accept(): Response {
    if (this.#state.getWebSockets().length >= MAX_WATCHERS)
      return new Response(`At most ${MAX_WATCHERS} watch one session.`, { status: 429 });
    const { 0: client, 1: server } = new WebSocketPair();
    this.#state.acceptWebSocket(server);
    return new Response(null, { status: 101, webSocket: client });
  }

  report(batch: ReportBatch, traces: string[], dropped: number): void {
    this.#dropped += dropped;
    for (const trace of traces) this.#remember(trace);
    this.#send(batch);
    this.#sendPending();
  }

  #sendPending(): void {
    const known = this.#pending.filter(({ trace }) => this.#traces.has(trace));
    if (known.length === 0) return;
    this.#pending = this.#pending.filter(({ trace }) => !this.#traces.has(trace));
    for (const { batch } of known) this.#send(batch);
  }

  reportLost(trace: string, batch: ReportBatch): void {
    if (this.#traces.has(trace)) {
      this.#send(batch);
      return;
    }
    const now = Date.now();
    this.#pending = this.#pending.filter(({ at }) => now - at < PENDING_MS).slice(1 - MAX_PENDING);
    this.#pending.push({ trace, batch, at: now });
  }

  /** A question for the Worker's clock, or `KnownTraces`. Anything else is ignored. */
  answer(socket: WebSocket, message: string | ArrayBuffer): void {
    if (typeof message !== "string" || message.length > MAX_WATCHER_MESSAGE) return;
    if (/^\{"traces":\["[0-9a-f]{32}"(?:,"[0-9a-f]{32}")*\]\}$/.test(message)) {
      for (const trace of message.match(/[0-9a-f]{32}/g)!) this.#remember(trace);
      this.#sendPending();
      return;
    }
    const echo = Number(/^\{"echo":(\d+(?:\.\d+)?)\}$/.exec(message)?.[1]);
    if (Number.isFinite(echo)) socket.send(JSON.stringify({ echo, now: Date.now() } satisfies EdgeClock));
  }

  closed(socket: WebSocket): void {
    // Completes the handshake; one that failed is closed already.
    try {
      socket.close();
    } catch {}
  }

  /** The session is gone. */
  end(): void {
    for (const socket of this.#state.getWebSockets()) socket.close(4004, "The session was deleted.");
  }

  #remember(trace: string): void {
    this.#traces.delete(trace);
    this.#traces.add(trace);
    if (this.#traces.size > MAX_TRACES) this.#traces.delete(this.#traces.values().next().value!);
  }

  #send({ lines, reports }: ReportBatch): void {
    const second = Math.floor(Date.now() / 1_000);
    if (second !== this.#second) this.#reported = 0;
    this.#second = second;
    const sent: string[] = [];
    let length = lines.length;
    for (const report of reports) {
      if (this.#reported >= MAX_PER_SECOND || length + report.length > MAX_MESSAGE) {
        this.#dropped++;
        continue;
      }
      this.#reported++;
      length += report.length;
      sent.push(report);
    }
    if (sent.length === 0 && this.#dropped === 0) return;
    const message = `{"lines":[${sent.length > 0 ? lines : ""}],"reports":[${sent.join(",")}],"dropped":${this.#dropped}}`;
    this.#dropped = 0;
    for (const socket of this.#state.getWebSockets()) {
      try {
        socket.send(message);
      } catch {
        // It is closing.
      }
    }
  }
}
