/** Which service serves a request, and why. The Worker, the local server and `explain` all call this function. */
import { withoutSession } from "./hosts.ts";
import { HOST_SOURCES, hostFrom } from "./identify.ts";
import { compile, replaceAll } from "./pattern/pattern.ts";
import { type RequestHead, splitTarget } from "./request.ts";
import { type Domain, httpOrigin, type Rewrite, type Routing, type Service } from "./session.ts";

/** Which header named the domain, and which of the session's domains it is. */
export interface DomainMatch {
  domain: Domain;
  source: (typeof HOST_SOURCES)[number];
}

/** What chose the service. */
export type Reason =
  /** `linkup-destination` named it: an earlier hop has routed and rewritten this request. */
  | { by: "destination" }
  /** `routes[index]` of the domain was the first whose pattern is found in the path. */
  | { by: "route"; index: number; pattern: string }
  /** No route of the domain matched. */
  | { by: "default" };

export interface Routed {
  outcome: "routed";
  service: Service;
  reason: Reason;
  match: DomainMatch | undefined;
  /** The rewrites that changed the path, in order, with the path after each. */
  rewrites: (Rewrite & { path: string })[];
  /** `http://host:port` of the service's location. */
  origin: string;
  /** Path and query for the service's request line. */
  target: string;
  /** Patterns that took too long on this path, and so counted as not matching. */
  gaveUp: string[];
}

export interface NotRouted {
  outcome: "no-target";
  /** The hosts that were looked for among the session's domains, in order. */
  hosts: { host: string; source: DomainMatch["source"] }[];
}

export type Decision = Routed | NotRouted;

/**
 * Decides where a request of this session goes. A pure function that never throws:
 * the same request gives the same decision wherever it is asked.
 */
export function route(name: string, session: Routing, head: RequestHead): Decision {
  const match = findDomain(name, session, head);
  const { path, query } = splitTarget(head.target);

  const destination = head.header("linkup-destination");
  const direct = destination ? session.services.find((service) => service.name === destination) : undefined;
  if (direct) return routed(direct, { by: "destination" }, match, head.target, [], []);

  if (match) {
    const gaveUp: string[] = [];
    const { serviceName, reason } = chooseService(match.domain, path, gaveUp);
    const service = session.services.find(({ name }) => name === serviceName);
    if (service) {
      const rewrites = applyRewrites(service.rewrites, path, gaveUp);
      const rewritten = rewrites.at(-1)?.path ?? path;
      return routed(service, reason, match, rewritten + query, rewrites, gaveUp);
    }
  }
  return {
    outcome: "no-target",
    hosts: HOST_SOURCES.flatMap((source) => {
      const host = hostFrom(head, source);
      return host === undefined ? [] : [{ host: withoutSession(host, name), source }];
    }),
  };
}

function routed(
  service: Service,
  reason: Reason,
  match: DomainMatch | undefined,
  target: string,
  rewrites: Routed["rewrites"],
  gaveUp: string[],
): Routed {
  const origin = httpOrigin(service.location) ?? service.location;
  return { outcome: "routed", service, reason, match, rewrites, origin, target, gaveUp };
}

/** The first host of the request (session label stripped) that is one of the session's domains. */
function findDomain(name: string, session: Routing, head: RequestHead): DomainMatch | undefined {
  for (const source of HOST_SOURCES) {
    const host = hostFrom(head, source);
    if (host === undefined) continue;
    const wanted = withoutSession(host, name);
    const domain = session.domains.find(({ domain }) => domain === wanted || domain.toLowerCase() === wanted);
    if (domain) return { domain, source };
  }
  return undefined;
}

function chooseService(
  domain: Domain,
  path: string,
  gaveUp: string[],
): { serviceName: string; reason: Reason } {
  for (const [index, { path: pattern, service }] of domain.routes.entries()) {
    if (found(pattern, path, gaveUp))
      return { serviceName: service, reason: { by: "route", index, pattern } };
  }
  return { serviceName: domain.default_service, reason: { by: "default" } };
}

function applyRewrites(rewrites: Rewrite[], path: string, gaveUp: string[]): Routed["rewrites"] {
  const applied: Routed["rewrites"] = [];
  for (const rewrite of rewrites) {
    const compiled = compile(rewrite.source);
    if (!compiled.ok) continue;
    const result = replaceAll(compiled.pattern, path, rewrite.target);
    if (result.gaveUp) gaveUp.push(rewrite.source);
    if (!result.changed) continue;
    path = asPath(result.text);
    applied.push({ ...rewrite, path });
  }
  return applied;
}

/** A rewrite's result as a path that can stand on a request line: rooted, and with no character that would end it. */
function asPath(text: string): string {
  const rooted = text.startsWith("/") ? text : `/${text}`;
  return rooted.replace(/[^!-~]|[?#]/gu, (character) =>
    encodeURIComponent(character.isWellFormed() ? character : "\ufffd"),
  );
}

/** True when the pattern of a route or a cache route is found anywhere in the path. */
function found(source: string, path: string, gaveUp: string[]): boolean {
  const compiled = compile(source);
  if (!compiled.ok) return false;
  const result = compiled.pattern.test(path);
  if (result === "gave-up") gaveUp.push(source);
  return result === "match";
}

/** True when responses to this path keep their own caching headers (`cache_routes`). */
export function keepsCaching(session: Routing, target: string): boolean {
  const { path } = splitTarget(target);
  return session.cache_routes.some((pattern) => found(pattern, path, []));
}

/** The 404's body: the request belongs to this session, but to none of its domains. */
export function noTarget(name: string, session: Routing, decision: NotRouted): string {
  const asked = decision.hosts.map(({ host, source }) => `${host} (${source})`).join(", ");
  const domains = session.domains.map(({ domain }) => domain).join(", ");
  return `The request belonged to a session, but there was no target for the request.
Session: ${name}
Hosts of the request: ${asked}
Domains of the session: ${domains}
Use one of these domains, or add the host to the domains in linkup.yaml.
`;
}
