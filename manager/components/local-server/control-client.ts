/** A client of the local server's control API (core/api/control-api.ts) over its socket. */

import type { Socket } from "node:net";
import {
  type Lease,
  LOG_SECRETS_HEADER,
  type ProbeRequest,
  type ProbeResponse,
  type ServedSession,
  type ServerStatus,
  TUNNEL_LOG_PROTOCOL,
} from "../../../core/api/control-api.ts";
import type {
  Exchange,
  ExchangeDetails,
  ExchangeFilter,
  FollowedExchange,
  ReplayRequest,
  ReplayResponse,
  RequestLogSettings,
} from "../../../core/api/request-log-api.ts";
import { text } from "../../../core/text.ts";
import { controlAddress, isUnbound, untrustedSocket } from "../../../node/control-address.ts";
import { type CallTarget, open, readText, upgrade } from "../../../node/http.ts";
import { LinkupError } from "../../model/problem.ts";

const TIMEOUT_MS = 5_000;
/** The local server gives up before. */
const REPLAY_TIMEOUT_MS = 35_000;
/** Shorter timeout for status and stop, which report or end a server that hangs. */
export const STATUS_TIMEOUT_MS = 1_500;

/** The request log's calls. All but `status` reject with a LinkupError when no local server runs. */
export type RequestLogClient = Pick<
  ControlClient,
  | "status"
  | "requests"
  | "request"
  | "followRequests"
  | "replay"
  | "configureLog"
  | "logSettings"
  | "clearRequests"
>;

export class ControlClient {
  readonly #socketPath: string;

  constructor(home: string) {
    this.#socketPath = controlAddress(home);
  }

  /** Undefined when no local server runs. */
  async status(timeoutMs = TIMEOUT_MS): Promise<ServerStatus | undefined> {
    const path = this.#socketPath;
    // Without loading what calls need.
    if (untrustedSocket(path) === undefined && isUnbound(path)) return undefined;
    try {
      return (await this.#call("GET", "/v1/status", undefined, timeoutMs)) as ServerStatus;
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  }

  async putSession(name: string, session: ServedSession): Promise<void> {
    await this.#call("PUT", `/v1/sessions/${encodeURIComponent(name)}`, session);
  }

  /** Done as well where no local server runs: its sessions end with it. */
  async deleteSession(name: string): Promise<void> {
    await this.#call("DELETE", `/v1/sessions/${encodeURIComponent(name)}`).catch(unlessAbsent);
  }

  /** False when no local server runs: it may have ended since it was asked for its status. */
  async putLease(id: string, lease: Lease): Promise<boolean> {
    const put = this.#call("PUT", `/v1/leases/${encodeURIComponent(id)}`, lease);
    return put.then(() => true, unlessAbsent);
  }

  /** Done as well where no local server runs: leases end with it. */
  async deleteLease(id: string): Promise<void> {
    await this.#call("DELETE", `/v1/leases/${encodeURIComponent(id)}`).catch(unlessAbsent);
  }

  async stop(): Promise<void> {
    await this.#call("POST", "/v1/stop");
  }

  /**
   * A connection whose other end writes what comes to the log of this session's cloudflared, with asterisks in place of these
   * secrets. To be passed on as the output of a process. Undefined when no local server runs.
   */
  async openTunnelLog(name: string, secrets: readonly string[]): Promise<Socket | undefined> {
    try {
      return await upgrade(this.#at(`/v1/tunnel-logs/${encodeURIComponent(name)}`), TUNNEL_LOG_PROTOCOL, {
        method: "POST",
        headers: { [LOG_SECRETS_HEADER]: Buffer.from(JSON.stringify(secrets)).toString("base64") },
        timeoutMs: TIMEOUT_MS,
      });
    } catch (error) {
      return isAbsent(error) ? undefined : Promise.reject(error);
    }
  }

  /** Waits until all that an ended cloudflared wrote is in its log. */
  async endTunnelLog(name: string): Promise<void> {
    // A local server that has ended, hangs or is of an older version writes nothing more.
    await this.#call("DELETE", `/v1/tunnel-logs/${encodeURIComponent(name)}`).catch(() => {});
  }

  /** Asks a service as the proxy would. Rejects when no local server runs. */
  async probe(probe: ProbeRequest): Promise<ProbeResponse> {
    const patience = probe.timeout_ms + STATUS_TIMEOUT_MS;
    return (await this.#call("POST", "/v1/probe", probe, patience)) as ProbeResponse;
  }

  /** The newest requests that match, oldest first. */
  async requests(filter: ExchangeFilter): Promise<Exchange[]> {
    const answer = await this.#call("GET", `/v1/requests?${query(filter)}`).catch(orNothingRuns);
    return (answer as { requests: Exchange[] }).requests;
  }

  /** Rejects with a LinkupError when the log no longer has the request. */
  async request(id: number): Promise<ExchangeDetails> {
    const answer = this.#call("GET", `/v1/requests/${id}`).catch((error) => {
      if (error instanceof Refusal && error.status === 404)
        throw new LinkupError("request-unknown", error.words);
      return orNothingRuns(error);
    });
    return (await answer) as ExchangeDetails;
  }

  /** Sends a request of the log again. Rejects with a LinkupError when that cannot be. */
  async replay(id: number, request: ReplayRequest): Promise<ReplayResponse> {
    const path = `/v1/requests/${id}/replay`;
    const answer = this.#call("POST", path, request, REPLAY_TIMEOUT_MS).catch((error) => {
      if (error instanceof Refusal)
        throw new LinkupError(error.status === 404 ? "request-unknown" : "replay-failed", error.words);
      return orNothingRuns(error);
    });
    return (await answer) as ReplayResponse;
  }

  /** What the log records from now on. */
  async configureLog(settings: Partial<RequestLogSettings>): Promise<void> {
    await this.#call("PUT", "/v1/requests/settings", settings).catch(orNothingRuns);
  }

  async logSettings(): Promise<RequestLogSettings> {
    return (await this.#call("GET", "/v1/requests/settings").catch(orNothingRuns)) as RequestLogSettings;
  }

  /** Forgets the requests that are over. */
  async clearRequests(): Promise<void> {
    await this.#call("DELETE", "/v1/requests").catch(orNothingRuns);
  }

  /** Emits the newest matching requests, then each that starts or ends. Resolves when the local server exits. */
  async followRequests(
    filter: ExchangeFilter,
    tell: (line: FollowedExchange) => void,
    signal?: AbortSignal,
  ): Promise<void> {
    await this.#follow(`/v1/requests/follow?${query(filter)}`, tell, signal).catch((error) => {
      if (error instanceof Refusal) throw new Error(`Cannot read the request log: ${error.words}`);
      return orNothingRuns(error);
    });
  }

  /**
   * Tells whenever a service that is routed automatically goes elsewhere, and once at first. Resolves when the local server
   * exits. Rejects where none runs, and for one of an older version.
   */
  async followLocalCopies(tell: () => void, signal: AbortSignal): Promise<void> {
    await this.#follow("/v1/auto/follow", tell, signal);
  }

  /** Emits each line of JSON. Rejects with a Refusal for 4xx and 5xx. */
  async #follow<Line>(path: string, tell: (line: Line) => void, signal?: AbortSignal): Promise<void> {
    const response = await open(this.#at(path), { timeoutMs: Number.POSITIVE_INFINITY });
    // Loaded lazily: most processes follow nothing.
    const { createInterface } = process.getBuiltinModule("node:readline");
    const lines = createInterface({ input: response });
    if (response.statusCode !== 200) {
      let text = "";
      for await (const line of lines) text += line;
      throw new Refusal("GET", path, response.statusCode!, errorIn(text));
    }
    signal?.addEventListener("abort", () => response.destroy(), { once: true });
    if (signal?.aborted) response.destroy();
    // A killed server aborts the response; reading lines does not notice either.
    response.on("error", () => lines.close()).on("close", () => lines.close());
    for await (const line of lines) tell(JSON.parse(line));
  }

  /** Rejects with the server's error message for 4xx and 5xx. */
  async #call(method: string, path: string, body?: unknown, timeoutMs = TIMEOUT_MS): Promise<unknown> {
    const { status, text } = await readText(this.#at(path), { method, body, timeoutMs }).catch((error) => {
      if (error.name !== "AbortError") throw error;
      throw new Error(`The local server did not answer ${method} ${path} within ${timeoutMs / 1000} s.`);
    });
    if (status >= 400) throw new Refusal(method, path, status, errorIn(text));
    return text === "" ? undefined : JSON.parse(text);
  }

  /** Throws a LinkupError where another user may be listening: what is sent holds tokens and secrets. */
  #at(path: string): CallTarget {
    const untrusted = untrustedSocket(this.#socketPath);
    if (untrusted)
      throw new LinkupError(
        "socket-untrusted",
        text(
          "Linkup does not connect to its local server over the socket {0}: {1}. Delete the socket, or set LINKUP_HOME to another folder.",
          this.#socketPath,
          untrusted,
        ),
      );
    return { socketPath: this.#socketPath, path };
  }
}

/** The local server responded with 4xx or 5xx. */
class Refusal extends Error {
  readonly status: number;
  /** The server's own message. */
  readonly words: string;

  constructor(method: string, path: string, status: number, words: string) {
    super(`The local server refused ${method} ${path}: ${words}`);
    this.status = status;
    this.words = words;
  }
}

/** No socket, no listener, or a server that is shutting down. */
const ABSENT = new Set(["ENOENT", "ECONNREFUSED", "ECONNRESET", "EPIPE"]);

function isAbsent(error: unknown): boolean {
  return ABSENT.has((error as NodeJS.ErrnoException).code ?? "");
}

function unlessAbsent(error: unknown): false {
  if (!isAbsent(error)) throw error;
  return false;
}

function query(filter: ExchangeFilter): string {
  const members = new URLSearchParams();
  for (const [name, value] of Object.entries(filter))
    if (value !== undefined) members.set(name, String(value));
  return members.toString();
}

function orNothingRuns(error: NodeJS.ErrnoException): never {
  if (!isAbsent(error)) throw error;
  throw new LinkupError("session-unknown", text("No session is running, so there is no request log."), [
    { command: "start", title: "Start", terminal: "linkup start" },
  ]);
}

function errorIn(text: string): string {
  try {
    return (JSON.parse(text) as { error: string }).error ?? text;
  } catch {
    return text;
  }
}
