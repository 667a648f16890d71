/** Serves a request of a session: which one, which of its services, there and back. */
import { loop, noTargetFor, unknownSession } from "../../core/routing/proxy-failure.ts";
import { hopsOf, MAX_HOPS } from "../../core/routing/proxy-headers.ts";
import { keepsCaching, route } from "../../core/routing/route-request.ts";
import type { RequestHead } from "../../core/routing/routing-input.ts";
import { type Env, isDirect } from "../env.ts";
import { NO_TUNNEL } from "../objects/known-session.ts";
import { cacheKey, fromCache, keep, mayBeKept } from "./edge-cache.ts";
import { type Failure, failureResponse } from "./failure.ts";
import { failed, noTunnel, serviceUnreachable, tunnelDown } from "./failures.ts";
import { type Found, findSession } from "./lookup.ts";
import { headersToService } from "./request-headers.ts";
import { failureToClient, type Passage, responseToClient } from "./response.ts";

type Asked = Pick<Request, "method" | "headers" | "body">;

/** Cloudflare's edge answers so when no cloudflared is connected to the tunnel. */
const TUNNEL_NOT_CONNECTED = 530;

export async function proxy(
  request: Request,
  head: RequestHead,
  env: Env,
  context: ExecutionContext,
): Promise<Response> {
  // A request that no hop has routed yet need not be counted: the next time round it is one that has been.
  const hops = head.header("linkup-destination") ? hopsOf(head) : undefined;
  if (hops !== undefined && hops >= MAX_HOPS) return failureResponse(loop(hops, head.host), request);

  let found: Found | undefined;
  try {
    const finding = findSession(head, env, context);
    found = finding instanceof Promise ? await finding : finding;
  } catch (error) {
    return failed(error, request);
  }
  if (!found) return failureResponse(unknownSession, request);

  const { name, session } = found;
  const decision = route(name, session.routing, head);
  if (decision.outcome === "no-target")
    return failureResponse(noTargetFor(name, session.routing, decision), request);

  // Every look into the request leaves JavaScript.
  const { method, body } = request;
  const passage: Passage = {
    found,
    decision,
    head,
    request,
    method,
    hasBody: body !== null,
    keepsCaching: keepsCaching(session.routing, head.target),
  };
  if (decision.origin === NO_TUNNEL) return failureToClient(noTunnel(name, decision), passage);

  const key = cacheKey(passage, env);
  const kept = key && (await fromCache(key, passage));
  if (kept) return responseToClient(kept, passage, kept.status);

  let response: Response;
  try {
    const headers = headersToService(passage, hops);
    response = await ask(
      decision.origin + decision.target,
      request,
      { method, headers, body },
      isDirect(env),
    );
  } catch (error) {
    return failureToClient(unreachable(passage, (error as Error).message), passage);
  }
  const { status } = response;
  if (status === TUNNEL_NOT_CONNECTED && isTunnel(found, decision.origin)) {
    await response.body?.cancel();
    return failureToClient(unreachable(passage, "Cloudflare has no connection to it"), passage);
  }
  if (key && mayBeKept(response)) context.waitUntil(keep(key, response.clone()));
  // A WebSocket's answer is handed over as it is: then its messages never pass through JavaScript.
  return status === 101 ? response : responseToClient(response, passage, status);
}

function ask(url: string, request: Request, { method, headers, body }: Asked, direct: boolean) {
  // Cloudflare's cache knows a service by its address alone, and would answer one session with what is another's.
  const how: RequestInit = direct ? { redirect: "manual" } : { redirect: "manual", cache: "no-store" };
  if (body === null || (method !== "GET" && method !== "HEAD"))
    return fetch(url, { ...how, method, headers, body });
  // With these methods only a copy of a request can have a body.
  return fetch(new Request(new Request(url, request), { headers }), how);
}

function unreachable({ found, decision }: Passage, reason: string): Failure {
  return isTunnel(found, decision.origin)
    ? tunnelDown(found.name, decision, reason)
    : serviceUnreachable(found.name, decision, reason);
}

function isTunnel({ session }: Found, origin: string): boolean {
  return session.tunnel?.origin === origin;
}
