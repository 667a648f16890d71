/** The Worker's own answers. None of them is ever stored by a cache. */
const NO_STORE = { "cache-control": "no-store" };

export function text(status: number, body: string, headers: Record<string, string> = {}): Response {
  return new Response(body, {
    status,
    headers: { "content-type": "text/plain; charset=utf-8", ...NO_STORE, ...headers },
  });
}

export function json(body: unknown): Response {
  return Response.json(body, { headers: NO_STORE });
}

export function nothing(): Response {
  return new Response(null, { status: 204, headers: NO_STORE });
}
