/** The proxy: identifies the session, routes to its service, forwards the request and the response. */

import { StepBudget } from "../../core/regex/pattern.ts";
import { type ClientAddress, clientAddress } from "../../core/routing/forwarded.ts";
import { loop, noTarget, pathTooLong, unknownSession } from "../../core/routing/proxy-failure.ts";
import { HOPS_HEADER, hopsOf, MAX_HOPS, ORIGIN_SECRET_HEADER } from "../../core/routing/proxy-headers.ts";
import { isPathTooLong, keepsCaching, type Routed, route } from "../../core/routing/route-request.ts";
import { followSession, TARGET_SESSION_HEADER } from "../../core/routing/session-target.ts";
import { httpOrigin } from "../../core/session/session-document.ts";
import { isSessionName } from "../../core/session/session-name.ts";
import { type Env, isDirect } from "../env.ts";
import { NO_TUNNEL_ORIGIN } from "../objects/resolved-session.ts";
import { admit, proofForService, RETRY_AFTER_S } from "./admission.ts";
import { isTunnelError } from "./cloudflare-error.ts";
import { headWithTrustedDestination } from "./destination.ts";
import { cachedResponse, cacheKey, isCacheable, storeResponse } from "./edge-cache.ts";
import { dropReport, reportLost, takesReport, WatchedExchange } from "./edge-report.ts";
import { countUnknownNames, probingDelay } from "./name-probing.ts";
import type { ReceivedHead } from "./received-head.ts";
import { RecordedHeaders } from "./recorded-headers.ts";
import { changeForUpstream } from "./request-headers.ts";
import { downstreamFailure, downstreamResponse } from "./response.ts";
import { type RoutedRequest, tunnelOf } from "./routed-request.ts";
import { findSession, type SessionMatch, sessionNamed } from "./session-lookup.ts";
import {
  failureResponse,
  noTunnel,
  privateSession,
  rateLimited,
  serviceUnreachable,
  tooManyProofs,
  tunnelDown,
  type WorkerFailure,
  workerFailed,
} from "./worker-failures.ts";

/** Without an async function around what nearly all requests need: each one takes microtasks of its own. */
export function proxy(
  request: Request,
  head: ReceivedHead,
  env: Env,
  context: ExecutionContext,
): Response | Promise<Response> {
  // The first hop is not counted: if the request comes back, it has a destination then.
  const destination = head.header("linkup-destination");
  const hops = destination || head.header(HOPS_HEADER) ? hopsOf(head) : undefined;
  const isLoop = hops !== undefined && hops >= MAX_HOPS;
  // Only an earlier pass through the Worker sets both.
  const mayBeTunnel = Boolean(destination) && head.header(ORIGIN_SECRET_HEADER) !== null;
  if (isLoop && !mayBeTunnel) return failureResponse(loop(hops, head.host), request);

  const delay = probingDelay(request, env);
  if (delay > 0) return failureResponse(rateLimited, request, delay);

  const lookup = findSession(head, env, context);
  const arrived: ArrivedRequest = { request, head, destination, hops, mayBeTunnel };
  return lookup instanceof Promise
    ? lookup.then(
        (match) => enter(match, arrived, env, context),
        (error) => workerFailed(error, request),
      )
    : enter(lookup, arrived, env, context);
}

interface ArrivedRequest {
  request: Request;
  head: ReceivedHead;
  destination: string | null | undefined;
  hops: number | undefined;
  /** It may be what an earlier pass through the Worker has sent to a tunnel. */
  mayBeTunnel: boolean;
}

function enter(
  match: SessionMatch | undefined,
  arrived: ArrivedRequest,
  env: Env,
  context: ExecutionContext,
): Response | Promise<Response> {
  const { request, head } = arrived;
  if (!match) {
    countUnknownNames(request, head, env);
    const response = failureResponse(unknownSession, request);
    reportLost(request, head, response, env, context);
    return response;
  }
  if (arrived.mayBeTunnel) return enterTunnel(match, arrived, env, context);
  return serveKnown(match, arrived, env, context);
}

/** A route leads the tunnel's own host to the Worker: in another zone than the first pass, which went around it. */
async function enterTunnel(
  match: SessionMatch,
  arrived: ArrivedRequest,
  env: Env,
  context: ExecutionContext,
): Promise<Response> {
  const { request, head } = arrived;
  const hops = arrived.hops!;
  if (hops <= MAX_HOPS) {
    const host = head.header(TARGET_SESSION_HEADER);
    const owner = host && isSessionName(host) ? await sessionNamed(host, env, context) : match.session;
    if (owner?.tunnel?.origin === `https://${head.host}`)
      return throughTunnel(match.name, arrived, owner.tunnel.origin + head.target, hops);
  }
  if (hops >= MAX_HOPS) return failureResponse(loop(hops, head.host), request);
  return serveKnown(match, arrived, env, context);
}

function serveKnown(
  match: SessionMatch,
  arrived: ArrivedRequest,
  env: Env,
  context: ExecutionContext,
): Promise<Response> {
  return match.session.watched
    ? serveWatched(match, arrived, env, context)
    : serve(match, arrived, env, context);
}

async function serveWatched(
  match: SessionMatch,
  arrived: ArrivedRequest,
  env: Env,
  context: ExecutionContext,
): Promise<Response> {
  if (!takesReport()) {
    dropReport(match, env, context);
    return serve(match, arrived, env, context);
  }
  const watched = new WatchedExchange(match, arrived.request, arrived.head);
  return watched.end(await serve(match, arrived, env, context, watched), env, context);
}

/** Passes on what an earlier pass through the Worker has routed. It is counted, so that it cannot go round for ever. */
async function throughTunnel(
  name: string,
  { request, destination }: ArrivedRequest,
  url: string,
  hops: number,
): Promise<Response> {
  const upstream = upstreamRequest(url, request, request.method, request.body, false);
  upstream.headers.set(HOPS_HEADER, String(hops + 1));
  try {
    return await fetch(upstream);
  } catch (error) {
    return failureResponse(tunnelDown(name, destination!, (error as Error).message), request);
  }
}

type Place = Pick<RoutedRequest, "decision" | "host" | "fallback">;

/** The decision for a service that another session should serve, once it is known where that has it. */
async function followed(name: string, decision: Routed, env: Env, context: ExecutionContext): Promise<Place> {
  const found = await followSession(name, decision.service, (name) => sessionNamed(name, env, context));
  if ("fallback" in found) return { decision, fallback: found.fallback };
  const { location } = found.service;
  const origin = httpOrigin(location) ?? location;
  if (origin === NO_TUNNEL_ORIGIN) return { decision, fallback: "service-missing" };
  return { decision: { ...decision, service: { ...decision.service, location }, origin }, host: found };
}

/** `watched` is told what happens. */
async function serve(
  match: SessionMatch,
  arrived: ArrivedRequest,
  env: Env,
  context: ExecutionContext,
  watched?: WatchedExchange,
): Promise<Response> {
  const { name, session } = match;
  const { request, destination, hops } = arrived;
  const client = clientOf(arrived.head);
  let accessProof: string | null | undefined;
  if (session.access !== null) {
    const admission = admit(match, session.access, arrived.head, client, env, context);
    const decided = admission instanceof Promise ? await admission : admission;
    if (decided === "rate-limited") return failureResponse(tooManyProofs, request, RETRY_AFTER_S);
    if (!decided.allowed)
      return failureResponse(privateSession(name, session.access.maker, decided.why), request);
    const proof = proofForService(decided, name, session.access);
    accessProof = proof instanceof Promise ? await proof : proof;
  }
  const head = destination ? await headWithTrustedDestination(arrived.head, match, env) : arrived.head;
  if (isPathTooLong(head.target)) return failureResponse(pathTooLong, request);
  const budget = new StepBudget();
  const own = route(name, session.routing, head, budget);
  if (own.outcome === "no-target") return failureResponse(noTarget(name, session.routing, own), request);
  let place: Place | undefined;
  if (own.service.session !== undefined) {
    try {
      place = await followed(name, own, env, context);
    } catch (error) {
      return workerFailed(error, request);
    }
  }
  const decision = place ? place.decision : own;

  // Each access to the request is a call out of JavaScript.
  const { body } = request;
  const { method } = arrived.head;
  const routed: RoutedRequest = {
    match,
    decision,
    host: place?.host,
    fallback: place?.fallback,
    head,
    client,
    request,
    method,
    hasBody: body !== null,
    keepsCaching: keepsCaching(session.routing, head.target, budget),
    accessProof,
  };
  if (watched) watched.routed = routed;
  if (decision.origin === NO_TUNNEL_ORIGIN) return downstreamFailure(noTunnel(name, decision), routed);

  const key = cacheKey(routed, env);
  const cached = key && (await cachedResponse(key, routed));
  if (cached) return downstreamResponse(cached, routed, cached.status);

  let response: Response;
  try {
    // What is kept for others is kept as it came, and the end of what comes through the tunnel is known there.
    const isMeasured = watched !== undefined && !key && !isTunnel(routed);
    const url = decision.origin + decision.target;
    const upstream = upstreamRequest(url, request, method, body, isDirect(env));
    const recorded = watched && new RecordedHeaders(upstream.headers);
    changeForUpstream(recorded ?? upstream.headers, routed, env, hops, watched?.hop);
    if (watched) {
      watched.sent = recorded;
      watched.isMeasured = isMeasured;
    }
    // Something of ours then reads the body on its way. The constructor of `Request` ignores this option.
    response = await (isMeasured ? fetch(upstream, { encodeResponseBody: "manual" }) : fetch(upstream));
    watched?.receive(response.headers);
    if (isTunnel(routed) && (await isTunnelError(response)))
      return downstreamFailure(unreachable(routed, "no cloudflared is connected to it"), routed);
  } catch (error) {
    return downstreamFailure(unreachable(routed, (error as Error).message), routed);
  }
  const { status } = response;
  if (key && isCacheable(response)) context.waitUntil(storeResponse(key, response.clone()));
  // The response of a WebSocket handshake is returned untouched, so that messages bypass JavaScript.
  if (status !== 101) return downstreamResponse(response, routed, status);
  if (response.webSocket) return response;
  return downstreamFailure(unreachable(routed, "it switched protocols without being asked to"), routed);
}

/** The client's request to this URL. Its headers, the only copy that is made of them, are to be changed. */
function upstreamRequest(
  url: string,
  request: Request,
  method: string,
  body: Request["body"],
  direct: boolean,
): Request {
  const { headers } = request;
  const redirect = "manual";
  // A body with these methods is taken only as part of a request that has one.
  if (body !== null && (method === "GET" || method === "HEAD"))
    return new Request(new Request(url, request), direct ? { redirect } : { redirect, cf: UNCACHED });
  // workerd looks up and converts each member that is there. Without these two it is this.
  if (body === null && method === "GET")
    return new Request(url, direct ? { redirect, headers } : { redirect, headers, cf: UNCACHED });
  // Written out: V8 takes longer for each member that `...` copies.
  return new Request(
    url,
    direct ? { redirect, method, headers, body } : { redirect, method, headers, body, cf: UNCACHED },
  );
}
// Cloudflare's cache is keyed by URL alone, and would answer one session with another's response. `cache: "no-store"`
// sets the same option, but also adds Cache-Control and Pragma, and then services answer 200 instead of 304.
const UNCACHED = { cacheTtl: -1 };

function unreachable(routed: RoutedRequest, reason: string): WorkerFailure {
  const { match, decision } = routed;
  return isTunnel(routed)
    ? tunnelDown(match.name, decision.service.name, reason)
    : serviceUnreachable(match.name, decision, reason);
}

function isTunnel(routed: RoutedRequest): boolean {
  return tunnelOf(routed)?.origin === routed.decision.origin;
}

/** How the client reached the Worker. A proxy in front of it that ends TLS says so. */
export function clientOf({ scheme, host, header }: ReceivedHead): ClientAddress {
  const isSecure = scheme === "https" || header("x-forwarded-proto") === "https";
  return clientAddress(isSecure ? "https" : "http", host, header("cf-connecting-ip") ?? undefined);
}
