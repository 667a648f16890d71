/** The proxy: identifies the session, routes to its service, forwards the request and the response. */
import { loop, noTargetFor, unknownSession } from "../../core/routing/proxy-failure.ts";
import { hopsOf, MAX_HOPS } from "../../core/routing/proxy-headers.ts";
import { keepsCaching, route } from "../../core/routing/route-request.ts";
import type { RequestHead } from "../../core/routing/routing-input.ts";
import { type Env, isDirect } from "../env.ts";
import { NO_TUNNEL_ORIGIN } from "../objects/routable-session.ts";
import { cachedResponse, cacheKey, isCacheable, storeResponse } from "./edge-cache.ts";
import {
  failureResponse,
  noTunnel,
  serviceUnreachable,
  tunnelDown,
  type WorkerFailure,
  workerFailed,
} from "./failures.ts";
import { upstreamHeaders } from "./request-headers.ts";
import { downstreamFailure, downstreamResponse } from "./response.ts";
import type { RoutedRequest } from "./routed-request.ts";
import { findSession, type SessionMatch } from "./session-lookup.ts";

/** Status of Cloudflare's edge when no cloudflared is connected to the tunnel. */
const TUNNEL_NOT_CONNECTED = 530;

export async function proxy(
  request: Request,
  head: RequestHead,
  env: Env,
  context: ExecutionContext,
): Promise<Response> {
  // The first hop is not counted: if the request comes back, it has a destination then.
  const hops = head.header("linkup-destination") ? hopsOf(head) : undefined;
  if (hops !== undefined && hops >= MAX_HOPS) return failureResponse(loop(hops, head.host), request);

  let match: SessionMatch | undefined;
  try {
    const lookup = findSession(head, env, context);
    match = lookup instanceof Promise ? await lookup : lookup;
  } catch (error) {
    return workerFailed(error, request);
  }
  if (!match) return failureResponse(unknownSession, request);

  const { name, session } = match;
  const decision = route(name, session.routing, head);
  if (decision.outcome === "no-target")
    return failureResponse(noTargetFor(name, session.routing, decision), request);

  // Each access to the request is a call out of JavaScript.
  const { method, body } = request;
  const routed: RoutedRequest = {
    match,
    decision,
    head,
    request,
    method,
    hasBody: body !== null,
    keepsCaching: keepsCaching(session.routing, head.target),
  };
  if (decision.origin === NO_TUNNEL_ORIGIN) return downstreamFailure(noTunnel(name, decision), routed);

  const key = cacheKey(routed, env);
  const cached = key && (await cachedResponse(key, routed));
  if (cached) return downstreamResponse(cached, routed, cached.status);

  let response: Response;
  try {
    const headers = upstreamHeaders(routed, hops);
    response = await forward(
      decision.origin + decision.target,
      request,
      { method, headers, body },
      isDirect(env),
    );
  } catch (error) {
    return downstreamFailure(unreachable(routed, (error as Error).message), routed);
  }
  const { status } = response;
  if (status === TUNNEL_NOT_CONNECTED && isTunnel(match, decision.origin)) {
    await response.body?.cancel();
    return downstreamFailure(unreachable(routed, "no cloudflared is connected to it"), routed);
  }
  if (key && isCacheable(response)) context.waitUntil(storeResponse(key, response.clone()));
  // The response of a WebSocket handshake is returned untouched, so that messages bypass JavaScript.
  return status === 101 ? response : downstreamResponse(response, routed, status);
}

function forward(
  url: string,
  request: Request,
  { method, headers, body }: Pick<Request, "method" | "headers" | "body">,
  direct: boolean,
): Promise<Response> {
  // Cloudflare's cache is keyed by URL alone, and would answer one session with another's response.
  const options: RequestInit = direct ? { redirect: "manual" } : { redirect: "manual", cache: "no-store" };
  if (body === null || (method !== "GET" && method !== "HEAD"))
    return fetch(url, { ...options, method, headers, body });
  // `fetch` takes a body with these methods only as a copy of a request that has one.
  return fetch(new Request(new Request(url, request), { headers }), options);
}

function unreachable({ match, decision }: RoutedRequest, reason: string): WorkerFailure {
  return isTunnel(match, decision.origin)
    ? tunnelDown(match.name, decision, reason)
    : serviceUnreachable(match.name, decision, reason);
}

function isTunnel({ session }: SessionMatch, origin: string): boolean {
  return session.tunnel?.origin === origin;
}
