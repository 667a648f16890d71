/** The likely sender of a request that names no session: the program that should propagate the headers. */

/** Described by its headers, in a few words: `curl/8.5.0`, `a page of https://docs.example.org (Firefox)`. */
export function likelySender(header: (name: string) => string | undefined): string {
  const agent = header("user-agent");
  const page = pageOf(header("origin")) ?? pageOf(header("referer"));
  const fromBrowser = agent?.startsWith("Mozilla/") || header("sec-fetch-mode") !== undefined;
  const program = fromBrowser ? browser(agent ?? "") : agent?.split(/\s/, 1)[0];
  const who = page
    ? `a page of ${page}${program ? ` (${program})` : ""}`
    : (program ?? "a program without a User-Agent");
  const hints = [];
  if (header("traceparent") !== undefined && !header("tracestate"))
    hints.push("it propagates traceparent, but not tracestate");
  else if (header("tracestate")) hints.push("its tracestate names no running session");
  const via = header("via") ?? (header("x-forwarded-for") && "x-forwarded-for");
  if (via) hints.push(`through a proxy (${via})`);
  return [who, ...hints].join("; ");
}

function pageOf(url: string | undefined): string | undefined {
  return url === undefined ? undefined : /^https?:\/\/[^/?#@\s]+(?=[/?#]|$)/i.exec(url.trim())?.[0];
}

/** Most browsers claim to be several: the most specific name counts. */
const BROWSERS = [
  ["Edg/", "Edge"],
  ["OPR/", "Opera"],
  ["Firefox/", "Firefox"],
  ["Chrome/", "Chrome"],
  ["Safari/", "Safari"],
] as const;

function browser(agent: string): string {
  return BROWSERS.find(([mark]) => agent.includes(mark))?.[1] ?? "a browser";
}
