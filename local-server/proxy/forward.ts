/** Streams one request to its service (or to a public origin), and the response back. */
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { corsChanges } from "../../core/routing/cors.ts";
import { FALLBACK_HEADER, type Fallback } from "../../core/routing/fallback.ts";
import { grpcFailureHeaders, isGrpc } from "../../core/routing/grpc.ts";
import { failureContent } from "../../core/routing/proxy-failure.ts";
import type { Routed } from "../../core/routing/route-request.ts";
import { httpOrigin, isLocal, type Service } from "../../core/session/session-document.ts";
import type { LocalCopies } from "../auto/local-copies.ts";
import type { Client, DownstreamResponse } from "../downstream/client.ts";
import type { SplicedPair } from "../downstream/splice.ts";
import { endToEnd, type Fields } from "../http/fields.ts";
import { badGateway, type LocalFailure, publicOriginUnreachable } from "../http/local-failures.ts";
import { Http2Response, MalformedMessage, NotHttp2Error } from "../http/protocol-errors.ts";
import type { ResponseHead } from "../http/response-parser.ts";
import type { Served } from "../served-sessions.ts";
import type { Pool } from "../upstream/pool.ts";
import type { ResponseHandler, UpstreamRequest, UpstreamStream } from "../upstream/upstream-stream.ts";
import { serviceResponse, unchangedResponse } from "./downstream-response.ts";
import type { ExchangeRecorder } from "./exchange-recorder.ts";
import { publicOriginRequest, type RequestContext, serviceRequest } from "./upstream-request.ts";

/** Methods that may be retried (RFC 9110, 9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);

/** The largest body that is kept to be sent to another copy. */
const MAX_KEPT_BYTES = 1024 * 1024;

type Recorder = ExchangeRecorder | undefined;

/** Responds in the service's place. `error`: what happened to the connection to it. */
export function refuse(
  client: Client,
  recorder: Recorder,
  failure: LocalFailure,
  { extra = [], error }: { extra?: [string, string][]; error?: Error } = {},
): void {
  const grpc = isGrpc(client.header("content-type"));
  const status = grpc ? 200 : failure.status;
  const answer = grpc
    ? { headers: grpcFailureHeaders(failure), body: "" }
    : failureContent(failure, client.header("accept"));
  const body = Buffer.from(answer.body);
  const headers = [...Object.entries(answer.headers), ...extra].flat();
  if (!grpc) headers.push("content-length", String(body.length));
  const hasBody = client.method !== "HEAD" && !grpc;
  if (client.hasBody) client.read({ data() {}, end() {} });
  client.resume();
  client.respond({ status, reason: STATUS_CODES[status] ?? "", headers, hasBody, length: body.length });
  if (hasBody) client.write(body, () => {});
  client.end([]);
  if (!recorder) return;
  recorder.refused(failure, headers, error);
  if (hasBody) recorder.received(body);
  recorder.end();
}

export function forward(
  client: Client,
  recorder: Recorder,
  served: Served,
  decision: Routed,
  arrival: RequestContext,
  connections: ServiceConnections,
): void {
  const plan = planFor(client, recorder, served, decision, arrival);
  const { fallback, fallthrough, location } = decision.service;
  const other = fallback ?? fallthrough;
  plan.leavesNotFound = fallthrough !== undefined;
  if (other !== undefined)
    plan.goOn = (why) => {
      if (fallback !== undefined && why !== "local-not-found") connections.localCopies.refused(location);
      const routed = elsewhere(served, decision, other);
      recorder?.fellBack(routed, why);
      const next = planFor(client, recorder, routed.served, routed.decision, arrival);
      return { ...next, response: (head) => withFallback(next.response(head), why) };
    };
  new Forwarding(client, recorder, plan, connections).start(false);
}

/** The same request for the service at its other location. */
function elsewhere(served: Served, decision: Routed, location: string): { served: Served; decision: Routed } {
  const { fallback, fallthrough: _, ...service } = decision.service;
  const moved: Service = { ...service, location, ...(fallback === undefined ? {} : { auto: "remote" }) };
  const services = served.session.services.map((each) => (each === decision.service ? moved : each));
  return {
    served: { ...served, session: { ...served.session, services } },
    decision: { ...decision, service: moved, origin: httpOrigin(location) ?? location },
  };
}

function withFallback(response: DownstreamResponse, why: Fallback): DownstreamResponse {
  return { ...response, headers: [...response.headers, FALLBACK_HEADER, why] };
}

function planFor(
  client: Client,
  recorder: Recorder,
  served: Served,
  decision: Routed,
  arrival: RequestContext,
): ProxyPlan {
  const { name, session } = served;
  const { service } = decision;
  const mayBeWorker = () => service.session !== undefined || !isLocal(service.location);
  const request = withNextHop(serviceRequest(client, served, decision, arrival), recorder, mayBeWorker);
  return {
    request,
    response: (head) => serviceResponse(client, served, request, arrival, head),
    refuse: (error) => {
      // A page of the session may read why its request failed.
      const { pagePorts } = arrival;
      const cors = { method: client.method, head: client, client: request.client, pagePorts };
      const extra = corsChanges(name, session, cors, undefined)?.set ?? [];
      refuse(client, recorder, badGateway(served, decision, error, isGrpc(client.header("content-type"))), {
        extra,
        error,
      });
    },
  };
}

/** `mayBeWorker`: where it is sent, the Worker may answer and report it. */
function withNextHop<R extends UpstreamRequest>(
  request: R,
  recorder: Recorder,
  mayBeWorker: () => boolean,
): R {
  if (!recorder?.followed) return request;
  if (mayBeWorker()) request.hop = recorder.nextHop(request.host);
  recorder.sentOn(request.traceparent);
  return request;
}

/** Forwards a request to its host's public origin, on this port. */
export function forwardToOrigin(
  client: Client,
  recorder: Recorder,
  host: string,
  port: number,
  connections: Connections,
): void {
  const plan: ProxyPlan = {
    request: withNextHop(publicOriginRequest(client, `https://${host}:${port}`), recorder, () => true),
    response: unchangedResponse,
    refuse: (error) => refuse(client, recorder, publicOriginUnreachable(host, error), { error }),
  };
  new Forwarding(client, recorder, plan, connections).start(false);
}

export interface Connections {
  /** To services, or to public origins. */
  pool: Pool;
  /** The open tunnels, for the end of the process. */
  tunnels: Set<SplicedPair>;
}

interface ServiceConnections extends Connections {
  localCopies: Pick<LocalCopies, "refused">;
}

/** Upstream request, response mapping, error response. */
interface ProxyPlan {
  request: UpstreamRequest;
  /** The plan for another copy of the service, to go on with when this one is not there. */
  goOn?(why: Fallback): ProxyPlan;
  /** Goes on when this copy answers 404, too. */
  leavesNotFound?: boolean;
  response(head: ResponseHead): DownstreamResponse;
  refuse(error: Error): void;
}

class Forwarding implements ResponseHandler {
  readonly #client: Client;
  /** Undefined without a request log. */
  readonly #recorder: Recorder;
  #plan: ProxyPlan;
  readonly #pool: Pool;
  readonly #tunnels: Set<SplicedPair>;
  readonly #retriable: boolean;
  #stream: UpstreamStream | undefined;
  /** The request's body so far, where it may be sent again; and its trailers, when it is complete. */
  #kept: Buffer[] | undefined;
  #keptBytes = 0;
  #trailers: string[] | undefined;
  #reads = false;
  /** The other copy of the service is not connected yet. */
  #goesOn = false;
  #giveUp = () => {};
  #retried = false;
  #responded = false;
  #headWaits = false;
  /** Same tick as the response head: its timestamp is used again. */
  #sameTick = false;
  /** Why another copy of the service may have the request, should this one fail now. */
  #fallback: Fallback | undefined;
  /** The response's body is dropped: the client gets another response. */
  #discarding = false;
  #done = false;

  constructor(client: Client, recorder: Recorder, plan: ProxyPlan, { pool, tunnels }: Connections) {
    this.#client = client;
    this.#recorder = recorder;
    this.#plan = plan;
    this.#pool = pool;
    this.#tunnels = tunnels;
    this.#retriable = !client.hasBody && IDEMPOTENT.has(client.method);
    client.onGone = () => this.#clientGone();
    client.onDrain = () => this.#stream?.resume();
  }

  start(fresh: boolean): void {
    const { request } = this.#plan;
    const upgrade = request.upgrade !== undefined;
    const requirements = { retriable: this.#retriable, fresh, upgrade, h2c: request.h2c };
    if (fresh) this.#recorder?.retried();
    let waited = false;
    this.#giveUp = this.#pool.acquire(request.origin, requirements, (error, stream) => {
      if (this.#done) return stream?.abort();
      if (waited) this.#recorder?.connected();
      if (!stream) {
        if (isUnreachable(error!)) this.#fallback = "local-refused";
        return this.failed(error!, false);
      }
      this.#stream = stream;
      // What was begun may be done twice only where that does no harm.
      this.#fallback = this.#retriable ? "local-ended" : undefined;
      this.#goesOn = false;
      stream.request(request, this);
      if (this.#client.hasBody) this.#send(stream);
      else stream.finish([]);
    });
    waited = true;
  }

  /** Sends the body: what an earlier copy got of it, and the rest as it comes. */
  #send(stream: UpstreamStream): void {
    const before = this.#kept;
    this.#kept = this.#plan.leavesNotFound ? [] : undefined;
    if (before) for (const chunk of before) stream.write(chunk);
    if (this.#trailers) {
      stream.finish(this.#trailers);
      return;
    }
    if (this.#reads) {
      this.#client.resume();
      return;
    }
    this.#reads = true;
    this.#client.read({
      data: (chunk) => {
        this.#keep(chunk);
        // A service that has responded is not sent the rest, but the client's bytes have to be read.
        if (!this.#stream && !this.#goesOn) return;
        this.#recorder?.sent(chunk);
        if (this.#stream && !this.#stream.write(chunk)) this.#client.pause();
      },
      end: (trailers) => {
        this.#trailers = trailers;
        this.#stream?.finish(trailers);
      },
    });
  }

  /** Keeps the body as long as another copy may need it and it is not too much. */
  #keep(chunk: Buffer): void {
    if (!this.#kept) return;
    this.#keptBytes += chunk.length;
    // Between two copies the client is paused: little comes.
    if (this.#keptBytes > MAX_KEPT_BYTES && !this.#goesOn) this.#kept = undefined;
    else this.#kept.push(chunk);
  }

  drained(): void {
    this.#client.resume();
  }

  information(status: number, fields: Fields): void {
    this.#client.inform(status, endToEnd(fields));
  }

  head(response: ResponseHead): void {
    this.#sameTick = true;
    const isLeft = response.status === 404 && this.#plan.leavesNotFound && !this.#responded;
    if (isLeft && (!this.#client.hasBody || this.#kept)) {
      this.#stream?.abort();
      this.#stream = undefined;
      this.#goesOn = true;
      if (this.#client.hasBody && !this.#trailers) this.#client.pause();
      this.#goOn("local-not-found");
      return;
    }
    try {
      let forwarded = this.#plan.response(response);
      if (isLeft) forwarded = withFallback(forwarded, "body-not-kept");
      this.#recorder?.respond(forwarded.status, response);
      this.#discarding = response.hasBody && !forwarded.hasBody;
      this.#client.respond(forwarded);
    } catch (error) {
      // Some of what HTTP/1.1 can say cannot be said in HTTP/2. A fault of ours must not leave the client waiting either.
      this.#stream?.abort();
      this.failed(error as Error, false);
      return;
    }
    this.#headWaits = true;
    this.#responded = true;
  }

  data(chunk: Buffer, done: () => void): void {
    this.#headWaits = false;
    if (this.#discarding) {
      done();
      return;
    }
    this.#recorder?.received(chunk);
    if (!this.#client.write(chunk, done)) this.#stream?.pause();
  }

  /** A head is sent together with the first bytes of its body when those are here already, but does not wait for them. */
  caughtUp(): void {
    this.#sameTick = false;
    if (!this.#headWaits) return;
    this.#headWaits = false;
    this.#client.flush();
  }

  end(trailers: string[]): void {
    this.#done = true;
    this.#stream = undefined;
    this.#client.end(trailers);
    this.#client.resume();
    this.#recorder?.end(this.#sameTick);
  }

  switched(response: ResponseHead, socket: Socket, rest: Buffer): void {
    this.#done = true;
    this.#stream = undefined;
    const tunnel = this.#client.switch?.(response, socket, rest, this.#recorder?.switched(response));
    if (tunnel) this.#tunnels.add(tunnel);
    socket.once("close", () => {
      this.#recorder?.end();
      if (tunnel) this.#tunnels.delete(tunnel);
    });
  }

  #goOn(why: Fallback): void {
    this.#plan = this.#plan.goOn!(why);
    this.#retried = false;
    this.start(false);
  }

  failed(error: Error, stale: boolean): void {
    this.#stream = undefined;
    if (stale && this.#retriable && !this.#retried) {
      this.#retried = true;
      this.start(true);
      return;
    }
    if (!this.#responded && this.#plan.goOn && this.#fallback && !isWrongProtocol(error)) {
      this.#goOn(this.#fallback);
      return;
    }
    this.#done = true;
    // What still comes of the body is dropped.
    this.#goesOn = false;
    this.#kept = undefined;
    if (!this.#responded) {
      this.#plan.refuse(error);
      return;
    }
    this.#client.break();
    this.#recorder?.aborted("service", error.message);
    this.#recorder?.end();
  }

  #clientGone(): void {
    this.#done = true;
    this.#giveUp();
    this.#stream?.abort();
    this.#stream = undefined;
    this.#recorder?.aborted("client", "it disconnected before its response was complete");
    this.#recorder?.end();
  }
}

/** Nobody accepted the connection, so nothing of the request has been sent. */
function isUnreachable({ code = "" }: NodeJS.ErrnoException): boolean {
  return UNREACHABLE.has(code);
}

const UNREACHABLE: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EADDRNOTAVAIL",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ETIMEDOUT",
]);

/** It is there, and does not speak what linkup.yaml says: another copy would only hide that. */
function isWrongProtocol(error: Error): boolean {
  return (
    error instanceof MalformedMessage || error instanceof NotHttp2Error || error instanceof Http2Response
  );
}
