/** Responses of the Worker's API. Caches must not store any of them. */
import { SESSION_TOKEN_HEADER } from "../../core/api/worker-api.ts";

const NO_STORE = { "cache-control": "no-store" };

export function textResponse(status: number, body: string, headers: Record<string, string> = {}): Response {
  return new Response(body, {
    status,
    headers: { "content-type": "text/plain; charset=utf-8", ...NO_STORE, ...headers },
  });
}

export function jsonResponse(body: unknown, status = 200): Response {
  return Response.json(body, { status, headers: NO_STORE });
}

export function noContent(): Response {
  return new Response(null, { status: 204, headers: NO_STORE });
}

export function sessionToken({ headers }: Request): string | null {
  return headers.get(SESSION_TOKEN_HEADER);
}

export function noSession(name: string): Response {
  return textResponse(404, `There is no session "${name}".`);
}

export function notOwner(name: string): Response {
  return textResponse(
    403,
    `The session "${name}" belongs to someone else. Use the token that made it, its session_token in the header ${SESSION_TOKEN_HEADER}, or WORKER_TOKEN.`,
  );
}
