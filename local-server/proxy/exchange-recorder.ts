/** What the proxy tells an access log. The log is handed to the proxy, which knows nothing else of it. */
import type { Listener, RequestDecision } from "../../core/routing/request-decision.ts";
import type { Routed } from "../../core/routing/route-request.ts";
import type { Client } from "../downstream/client.ts";
import type { TunnelledTraffic } from "../downstream/splice.ts";
import type { LocalFailure } from "../http/local-failures.ts";
import type { ResponseHead } from "../http/response-parser.ts";
import type { Served } from "../served-sessions.ts";

export interface ExchangeLog {
  /** Undefined while the log is paused. */
  begin(client: Client, listener: Listener): ExchangeRecorder | undefined;
}

/** The events of one exchange. */
export interface ExchangeRecorder {
  /** Somebody follows the log: only then it has to be told of traces and hops. */
  readonly followed: boolean;
  decided(decision: RequestDecision<Served> | { failure: LocalFailure }): void;
  /** The id that the request to this host carries on, for the Worker to report; undefined while nobody wants to know. */
  nextHop(host: string): string | undefined;
  /** The `traceparent` that the service gets; undefined for a public origin, to which nothing is added. */
  sentOn(traceparent: string | undefined): void;
  /** Another connection is requested, because the first one was stale. */
  retried(): void;
  /** It goes on to another copy of its service, because the one that was decided for is not there. */
  fellBack(routed: { served: Served; decision: Routed }, why: string): void;
  /** A connection that was waited for is ready. */
  connected(): void;
  /** A piece of the request's body. */
  sent(chunk: Buffer): void;
  /** `status`: the one that the client gets. */
  respond(status: number, response: ResponseHead): void;
  /** A piece of the response's body. */
  received(chunk: Buffer): void;
  /** The proxy responds in the service's place. `error`: what happened to the connection. */
  refused(failure: LocalFailure, headers: string[], error: Error | undefined): void;
  /** From here on bytes are carried, not HTTP. Returns the observer of them. */
  switched(response: ResponseHead): TunnelledTraffic;
  aborted(by: "client" | "service", reason: string): void;
  /** `sameTick`: in the same tick as the response head. */
  end(sameTick?: boolean): void;
}
