/** Which service serves a request, and why. The Worker, the local server and `explain` all call this function. */

import { type Pattern, replaceAll } from "../regex/pattern.ts";
import { withoutSession } from "../session/host-name.ts";
import type { Domain, Rewrite, Routing, Service } from "../session/session-document.ts";
import { HOST_SOURCES, hostFrom } from "./identify-session.ts";
import { type RequestHead, splitTarget } from "./routing-input.ts";
import { type DomainEntry, type RoutingTable, routingTable, type ServiceEntry } from "./routing-table.ts";

/** Which header named the domain, and which of the session's domains it is. */
export interface DomainMatch {
  domain: Domain;
  source: (typeof HOST_SOURCES)[number];
}

/** What chose the service. */
export type RouteReason =
  /** `linkup-destination` named it: an earlier hop has routed and rewritten this request. */
  | { by: "destination" }
  /** `routes[index]` of the domain was the first whose pattern is found in the path. */
  | { by: "route"; index: number; pattern: string }
  /** No route of the domain matched. */
  | { by: "default" };

export interface Routed {
  outcome: "routed";
  service: Service;
  reason: RouteReason;
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

export type RouteDecision = Routed | NotRouted;

/**
 * Decides where a request of this session goes. A pure function that never throws:
 * the same request gives the same decision wherever it is asked.
 */
export function route(name: string, session: Routing, head: RequestHead): RouteDecision {
  const table = routingTable(session);
  const found = findDomain(name, table, head);
  const match = found && { domain: found.entry.domain, source: found.source };

  const destination = head.header("linkup-destination");
  const direct = destination ? table.services.get(destination) : undefined;
  if (direct) return routed(direct, { by: "destination" }, match, head.target, [], []);

  if (found) {
    const { path, query } = splitTarget(head.target);
    const gaveUp: string[] = [];
    const { serviceName, reason } = chooseService(found.entry, path, gaveUp);
    const service = table.services.get(serviceName);
    if (service) {
      const rewrites = applyRewrites(service, path, gaveUp);
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
  { service, origin }: ServiceEntry,
  reason: RouteReason,
  match: DomainMatch | undefined,
  target: string,
  rewrites: Routed["rewrites"],
  gaveUp: string[],
): Routed {
  return { outcome: "routed", service, reason, match, rewrites, origin, target, gaveUp };
}

/** The first host of the request (session label stripped) that is one of the session's domains. */
function findDomain(
  name: string,
  { domains }: RoutingTable,
  head: RequestHead,
): { entry: DomainEntry; source: DomainMatch["source"] } | undefined {
  for (const source of HOST_SOURCES) {
    const host = hostFrom(head, source);
    if (host === undefined) continue;
    const entry = domains.get(withoutSession(host, name));
    if (entry) return { entry, source };
  }
  return undefined;
}

function chooseService(
  { domain, routes }: DomainEntry,
  path: string,
  gaveUp: string[],
): { serviceName: string; reason: RouteReason } {
  for (const { index, pattern, service } of routes) {
    if (found(pattern, path, gaveUp))
      return { serviceName: service, reason: { by: "route", index, pattern: pattern.source } };
  }
  return { serviceName: domain.default_service, reason: { by: "default" } };
}

function applyRewrites({ rewrites }: ServiceEntry, path: string, gaveUp: string[]): Routed["rewrites"] {
  const applied: Routed["rewrites"] = [];
  for (const { rewrite, pattern } of rewrites) {
    const result = replaceAll(pattern, path, rewrite.target);
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

/** True when the pattern is found anywhere in the path. */
function found(pattern: Pattern, path: string, gaveUp: string[]): boolean {
  const result = pattern.test(path);
  if (result === "gave-up") gaveUp.push(pattern.source);
  return result === "match";
}

/** True when responses to this path keep their own caching headers (`cache_routes`). */
export function keepsCaching(session: Routing, target: string): boolean {
  const { cacheRoutes } = routingTable(session);
  if (cacheRoutes.length === 0) return false;
  const { path } = splitTarget(target);
  return cacheRoutes.some((pattern) => found(pattern, path, []));
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
