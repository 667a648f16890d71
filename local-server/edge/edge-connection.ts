/** The WebSocket that tells what the Worker sees of one session: kept open, and opened again, until it is ended. */
import { type KnownTraces, MAX_KNOWN_TRACES } from "../../core/api/edge-report-api.ts";
import type { EdgeState } from "../../core/api/request-log-api.ts";
import { SESSION_TOKEN_HEADER } from "../../core/api/worker-api.ts";
import { parseEdgeMessage, type ReadReports } from "./parse-edge-message.ts";

export interface EdgeAddress {
  /** Of the session at the Worker's API. */
  url: string;
  token: string;
  sessionToken: string;
}

export interface EdgeListener {
  stateChanged(): void;
  /** `offsetMs`: the Worker's clock less this machine's. */
  reported(reports: ReadReports, offsetMs: number): void;
}

const MIN_BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 30_000;
/** How often the clocks are compared, which also tells that the connection is alive. */
const CLOCK_MS = 30_000;
const SILENT_MS = 10_000;
/** Traces are collected for so long before they are told. */
const TELL_MS = 200;
/** Traces that wait to be told; the oldest go first. */
const MAX_WAITING = 1_000;
/** Comparisons at the beginning: the one with the shortest round trip counts. */
const FIRST_SAMPLES = 3;
const CLOSED_NORMALLY = 1000;
/** The Worker's close code for a session that was deleted. */
const SESSION_GONE = 4004;

export class EdgeConnection {
  readonly #address: EdgeAddress;
  readonly #listener: EdgeListener;
  #socket: WebSocket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #ended = false;
  readonly #traces = new Set<string>();
  #telling: NodeJS.Timeout | undefined;
  /** The shortest round trip so far, and the offset that it told. */
  #bestMs = Number.POSITIVE_INFINITY;
  #offsetMs = 0;
  #samples = 0;
  state: EdgeState = "connecting";

  constructor(address: EdgeAddress, listener: EdgeListener) {
    this.#address = address;
    this.#listener = listener;
    this.#open();
  }

  end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#telling);
    this.#socket?.close(CLOSED_NORMALLY);
  }

  /** A request of the session that did not pass the Worker. */
  tellTrace(trace: string): void {
    this.#traces.add(trace);
    if (this.#traces.size > MAX_WAITING) this.#traces.delete(this.#traces.values().next().value!);
    if (this.state === "watching") this.#telling ??= setTimeout(() => this.#tellTraces(), TELL_MS);
  }

  #tellTraces(): void {
    this.#telling = undefined;
    if (this.state !== "watching") return;
    const traces = [...this.#traces].slice(0, MAX_KNOWN_TRACES);
    for (const trace of traces) this.#traces.delete(trace);
    if (traces.length > 0) this.#socket?.send(JSON.stringify({ traces } satisfies KnownTraces));
    if (this.#traces.size > 0) this.#telling = setTimeout(() => this.#tellTraces(), TELL_MS);
  }

  #open(): void {
    const { url, token, sessionToken } = this.#address;
    const headers = { authorization: `Bearer ${token}`, [SESSION_TOKEN_HEADER]: sessionToken };
    const socket = new WebSocket(url.replace(/^http/, "ws"), { headers });
    this.#socket = socket;
    socket.addEventListener("open", () => {
      this.#samples = 0;
      this.#bestMs = Number.POSITIVE_INFINITY;
      this.#compareClocks(socket);
    });
    socket.addEventListener("message", ({ data }) => this.#take(socket, data));
    socket.addEventListener("error", () => {});
    socket.addEventListener("close", ({ code }) => this.#closed(code));
  }

  #take(socket: WebSocket, data: unknown): void {
    const message = parseEdgeMessage(data);
    if (!message) return;
    if ("reports" in message) return void this.#listener.reported(message, this.#offsetMs);
    const now = Date.now();
    const tookMs = now - message.echo;
    if (tookMs < 0 || tookMs > SILENT_MS) return;
    if (tookMs <= this.#bestMs) {
      this.#bestMs = tookMs;
      this.#offsetMs = message.now - (message.echo + now) / 2;
    }
    this.#failures = 0;
    if (this.#samples++ === 0) {
      this.#become("watching");
      this.#tellTraces();
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => {
        // Clocks drift: what was measured long ago counts less.
        this.#bestMs += 1;
        this.#compareClocks(socket);
      },
      this.#samples < FIRST_SAMPLES ? 0 : CLOCK_MS,
    );
  }

  #compareClocks(socket: WebSocket): void {
    if (this.#ended) return;
    socket.send(JSON.stringify({ echo: Date.now() }));
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => socket.close(), SILENT_MS);
  }

  #closed(code: number): void {
    clearTimeout(this.#timer);
    if (this.#ended) return;
    this.#become(code === SESSION_GONE ? "gone" : "disconnected");
    const backoffMs = Math.min(MIN_BACKOFF_MS * 2 ** this.#failures++, MAX_BACKOFF_MS);
    this.#timer = setTimeout(() => this.#open(), backoffMs);
  }

  #become(state: EdgeState): void {
    if (state === this.state) return;
    this.state = state;
    this.#listener.stateChanged();
  }
}
