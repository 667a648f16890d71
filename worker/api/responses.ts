/** Responses of the Worker's API. Caches must not store any of them. */
const NO_STORE = { "cache-control": "no-store" };

export function textResponse(status: number, body: string, headers: Record<string, string> = {}): Response {
  return new Response(body, {
    status,
    headers: { "content-type": "text/plain; charset=utf-8", ...NO_STORE, ...headers },
  });
}

export function jsonResponse(body: unknown): Response {
  return Response.json(body, { headers: NO_STORE });
}

export function noContent(): Response {
  return new Response(null, { status: 204, headers: NO_STORE });
}
