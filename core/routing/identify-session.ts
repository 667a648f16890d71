/** Which session does a request belong to? */
import { hostOfUrl, sessionLabel } from "../session/host-name.ts";
import { isSessionName } from "../session/session-name.ts";
import type { RequestHead } from "./routing-input.ts";
import { sessionOfCookie } from "./session-cookie.ts";

/** Where in the request a session's name was found. */
export type NameSource = (typeof HOST_SOURCES)[number] | "tracestate" | "cookie";

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

/** What `known` gives for the first of the candidates that it knows: the headers behind that one are not looked at. */
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
    ask(sessionOfCookie(head.header("cookie")), "cookie")
  );
}

/** Where a request names a host, in the order in which identification and routing ask. */
export const HOST_SOURCES = ["host", "x-forwarded-host", "referer", "origin"] as const;

/** The host, with port, that stands in this place. */
export function hostFrom(head: RequestHead, source: (typeof HOST_SOURCES)[number]): string | undefined {
  if (source === "host") return head.host;
  const value = head.header(source);
  if (!value) return undefined;
  // Proxies append: the first member is the host the client used.
  return source === "x-forwarded-host" ? value.split(",", 1)[0]!.trim() : hostOfUrl(value.trim());
}

/** The values of `linkup-session` in a W3C `tracestate` list: one, unless an earlier hop left another session's. */
export function tracestateSessions(tracestate: string | null | undefined): string[] {
  if (!tracestate) return [];
  return tracestate
    .split(",")
    .map((member) => member.trim())
    .filter((member) => /^linkup-session\s*=/.test(member))
    .map((member) => member.slice(member.indexOf("=") + 1).trim());
}

/** The 422's body: what a request without a session should have had. */
export const UNKNOWN_SESSION = `Linkup was unable to determine the session origin of the request.
Give the request one of these, with the name of a running session (here: slim-gecko):
  - the session's host name:        https://slim-gecko.example.com/
  - an x-forwarded-host header:     x-forwarded-host: slim-gecko.example.com
  - a Referer header:               Referer: https://slim-gecko.example.com/
  - an Origin header:               Origin: https://slim-gecko.example.com
  - a tracestate header:            tracestate: linkup-session=slim-gecko
A service that calls another one must pass on the tracestate header of the request it is serving.
`;
