/**
 * The part of an HTTP request that routing depends on, the same for the Worker, the local server and `explain`.
 * It is text and never passes through a URL parser, so that a path reaches the service byte for byte.
 */
export interface RequestHead {
  /** Host and port the request was sent to: the URL's authority, or the `Host` header. */
  host: string;
  /** Path and query as on the request line: `/a/b?c=d`. */
  target: string;
  /** Missing: `GET`. */
  readonly method?: string | undefined;
  /** The value of a header by lower-case name; several lines joined by `, `. */
  header(name: string): string | null | undefined;
}

/** The head without this header, whose name is in lower case. */
export function withoutHeader(head: RequestHead, removed: string): RequestHead {
  const { host, target, method } = head;
  return { host, target, method, header: (name) => (name === removed ? null : head.header(name)) };
}

/** Splits a request target at its first `?`: the query keeps the `?`. */
export function splitTarget(target: string): { path: string; query: string } {
  const mark = target.indexOf("?");
  return mark === -1
    ? { path: target, query: "" }
    : { path: target.slice(0, mark), query: target.slice(mark) };
}

/** The head of a request to this URL, for `explain` and tests. Throws a TypeError for an invalid URL. */
export function headOfUrl(
  url: string,
  headers: Record<string, string> = {},
  method?: string | undefined,
): RequestHead {
  const parsed = new URL(url);
  const lower = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return {
    host: parsed.host,
    target: parsed.pathname + parsed.search,
    method,
    header: (name) => lower.get(name),
  };
}
