/** Which session does a request belong to? */
import { hostOfUrl, sessionLabel } from "./hosts.ts";
import { isSessionName } from "./names.ts";
import type { RequestHead } from "./request.ts";

/** Where in the request a session's name was found. */
export type NameSource = "host" | "x-forwarded-host" | "referer" | "origin" | "tracestate";

export interface Candidate {
  name: string;
  source: NameSource;
}

/**
 * The names a request may mean, best first, each once, each within the grammar of names.
 * The first one that is a *known* session is the request's session.
 */
export function candidates(head: RequestHead): Candidate[] {
  return Array.from(eachCandidate(head));
}

/** The same one by one: who knows the first one has no need to look for the others. */
export function* eachCandidate(head: RequestHead): Generator<Candidate> {
  const found: string[] = [];
  const isNew = (name: string | undefined): name is string =>
    name !== undefined && isSessionName(name) && !found.includes(name) && found.push(name) > 0;

  for (const { host, source } of hosts(head)) {
    const name = sessionLabel(host);
    if (isNew(name)) yield { name, source };
  }
  // Ours puts its member first; the original appends its own, also after one of another session.
  const members = tracestateSessions(head.header("tracestate"));
  for (const name of [members[0], members.at(-1)]) {
    if (isNew(name)) yield { name, source: "tracestate" };
  }
}

/** The hosts a request names, in the order in which identification and routing ask them. */
export function* hosts(
  head: RequestHead,
): Generator<{ host: string; source: Exclude<NameSource, "tracestate"> }> {
  yield { host: head.host, source: "host" };
  const forwarded = head.header("x-forwarded-host");
  // Proxies append: the first member is the host the client used.
  if (forwarded) yield { host: forwarded.split(",", 1)[0]!.trim(), source: "x-forwarded-host" };
  for (const source of ["referer", "origin"] as const) {
    const url = head.header(source);
    const host = url ? hostOfUrl(url.trim()) : undefined;
    if (host) yield { host, source };
  }
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
