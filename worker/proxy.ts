/** Serves a request of a session: which one, which of its services, there and back. */
import {
  addedHeaders,
  corsHeaders,
  HOP_BY_HOP,
  isPreflight,
  joinCookies,
  ORIGIN_SECRET_HEADER,
} from "../core/forward.ts";
import { candidates, UNKNOWN_SESSION } from "../core/identify.ts";
import type { RequestHead } from "../core/request.ts";
import { keepsCaching, noTarget, type Routed, route } from "../core/route.ts";
import { text } from "./answer.ts";
import type { Env } from "./env.ts";
import { type Found, findSession } from "./lookup.ts";

export async function proxy(request: Request, env: Env, context: ExecutionContext): Promise<Response> {
  const head = headOf(request);
  const found = await findSession(candidates(head), env, context);
  if (!found) return text(422, UNKNOWN_SESSION);

  const { name, session } = found;
  const decision = route(name, session.routing, head);
  if (decision.outcome === "no-target") return text(404, noTarget(name, session.routing, decision));

  let response: Response;
  try {
    response = await fetch(decision.origin + decision.target, {
      method: request.method,
      headers: headersToService(found, decision, head, request.headers),
      body: request.body,
      redirect: "manual",
    });
  } catch (error) {
    return upstreamFailed(name, decision, error as Error);
  }
  // A WebSocket's answer is handed over as it is: then its messages never pass through JavaScript.
  if (response.webSocket) return response;
  return responseToClient(found, decision, head, request.method, response);
}

function headOf(request: Request): RequestHead {
  const { url, headers } = request;
  const host = url.indexOf("//") + 2;
  const path = url.indexOf("/", host);
  return { host: url.slice(host, path), target: url.slice(path), header: (name) => headers.get(name) };
}

function headersToService(found: Found, decision: Routed, head: RequestHead, incoming: Headers): Headers {
  const headers = new Headers(incoming);
  const isWebSocket = incoming.get("upgrade")?.toLowerCase() === "websocket";
  for (const name of incoming.get("connection")?.split(",") ?? []) {
    const named = name.trim().toLowerCase();
    if (/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(named)) headers.delete(named);
  }
  for (const name of HOP_BY_HOP) headers.delete(name);
  if (isWebSocket) headers.set("upgrade", "websocket");
  headers.delete("expect");
  headers.delete(ORIGIN_SECRET_HEADER);

  const cookies = incoming.get("cookie");
  if (cookies?.includes(",")) headers.set("cookie", joinCookies(cookies));
  for (const [name, value] of addedHeaders(found.name, decision, head)) headers.set(name, value);
  const { tunnel } = found.session;
  if (tunnel && decision.origin === tunnel.origin) headers.set(ORIGIN_SECRET_HEADER, tunnel.secret);
  return headers;
}

function responseToClient(
  { name, session }: Found,
  decision: Routed,
  head: RequestHead,
  method: string,
  response: Response,
): Response {
  const hasCors = response.headers.has("access-control-allow-origin");
  const cors = hasCors ? [] : corsHeaders(name, session.routing, method, head);
  const answered =
    cors.length > 0 && isPreflight(method, head)
      ? new Response(null, { status: 204 })
      : new Response(response.body, response);
  const { headers } = answered;
  for (const [header, value] of cors) headers.set(header, value);
  if (cors.length > 0) headers.append("vary", "Origin");
  if (!keepsCaching(session.routing, decision.target)) headers.set("cache-control", "no-cache");
  headers.set("x-robots-tag", "noindex");
  return answered;
}

function upstreamFailed(name: string, decision: Routed, error: Error): Response {
  return text(
    502,
    `The service "${decision.service.name}" of the session ${name} could not be reached at ${decision.origin}.
${error.message}
Is it running, and does it listen at that address?
`,
  );
}
