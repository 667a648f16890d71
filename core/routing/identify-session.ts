/** Finds the session that a request belongs to. */
import { hostname, hostOfUrl, sessionLabel } from "../session/host-name.ts";
import type { Routing } from "../session/session-document.ts";
import { isSessionName } from "../session/session-name.ts";
import type { RequestHead } from "./routing-input.ts";
import { sessionOfCookie } from "./session-cookie.ts";
import { baggageSessions, tracestateSessions } from "./trace-context.ts";

/** Where in the request a session's name was found. */
export type NameSource = (typeof HOST_SOURCES)[number] | "tracestate" | "baggage" | "cookie";

export interface SessionCandidate {
  name: string;
  source: NameSource;
}

/**
 * The names a request may mean, best first, each once, each within the grammar of names.
 * The first one that is a *known* session is the request's session.
 */
export function sessionCandidates(head: RequestHead): SessionCandidate[] {
  const all: SessionCandidate[] = [];
  firstKnownSession(head, (name, source) => {
    all.push({ name, source });
    return undefined;
  });
  return all;
}

/** The result of `known` for the first candidate that it knows. Later headers are not parsed then. */
export function firstKnownSession<T>(
  head: RequestHead,
  known: (name: string, source: NameSource) => T | undefined,
): T | undefined {
  const seen: string[] = [];
  const ask = (name: string | undefined, source: NameSource): T | undefined => {
    if (name === undefined || !isSessionName(name) || seen.includes(name)) return undefined;
    seen.push(name);
    return known(name, source);
  };
  for (const source of HOST_SOURCES) {
    const host = hostFrom(head, source);
    const found = host && ask(sessionLabel(host), source);
    if (found) return found;
  }
  // Ours puts its member first; the original appends its own, also after one of another session.
  const members = tracestateSessions(head.header("tracestate"));
  return (
    ask(members[0], "tracestate") ??
    ask(members.at(-1), "tracestate") ??
    ask(baggageSessions(head.header("baggage"))[0], "baggage") ??
    ask(sessionOfCookie(head.header("cookie")), "cookie")
  );
}

/**
 * Whether this session may be found in this place of the request: not where it has switched that off. A cookie only
 * leads to the session's own domains, since browsers send it to the hosts of previews and other sessions as well.
 */
export function acceptsSource(
  { domains, baggage, session_cookie }: Pick<Routing, "domains" | "baggage" | "session_cookie">,
  source: NameSource,
  head: Pick<RequestHead, "host">,
): boolean {
  if (source === "baggage") return baggage !== false;
  if (source !== "cookie") return true;
  const host = hostname(head.host);
  return session_cookie !== false && domains.some(({ domain }) => hostname(domain) === host);
}

/** Where a request names a host, in the order in which identification and routing look. */
export const HOST_SOURCES = ["host", "x-forwarded-host", "referer", "origin"] as const;

/** The host, with port, that this source names. */
export function hostFrom(head: RequestHead, source: (typeof HOST_SOURCES)[number]): string | undefined {
  if (source === "host") return head.host;
  const value = head.header(source);
  if (!value) return undefined;
  // Proxies append: the first member is the host the client used.
  return source === "x-forwarded-host" ? value.split(",", 1)[0]!.trim() : hostOfUrl(value.trim());
}
