/** Chooses the service for a request. The Worker, the local server and `explain` all call this function. */

import { MAX_TEXT, type Pattern, replaceAll, StepBudget } from "../regex/pattern.ts";
import { withoutSession } from "../session/host-name.ts";
import type { Domain, Rewrite, Routing, Service } from "../session/session-document.ts";
import { firstOverride, namedOverride, overridden } from "./choose-override.ts";
import { HOST_SOURCES, hostFrom } from "./identify-session.ts";
import { type RequestHead, splitTarget } from "./routing-input.ts";
import {
  type DomainEntry,
  type OverrideEntry,
  type RoutingTable,
  routingTable,
  type ServiceEntry,
} from "./routing-table.ts";

/** The session's domain that the request is for, and the header that named it. */
export interface DomainMatch {
  domain: Domain;
  source: (typeof HOST_SOURCES)[number];
}

/** Why this service was chosen. */
export type RouteReason =
  /** `linkup-destination` names it: an earlier hop has routed and rewritten this request. */
  | { by: "destination" }
  /** `routes[index]` of the domain is the first whose pattern matches the path. */
  | { by: "route"; index: number; pattern: string }
  /** No route of the domain matched. */
  | { by: "default" };

export interface Routed {
  outcome: "routed";
  service: Service;
  reason: RouteReason;
  match: DomainMatch | undefined;
  /** The name of the override that matches; `service` is then as it says. */
  override?: string;
  /** What it does at the local server. */
  does?: "respond" | "fault";
  /** The rewrites that changed the path, in order, with the result of each; the last is a valid path. */
  rewrites: (Rewrite & { path: string })[];
  /** `http://host:port` of the service's location. */
  origin: string;
  /** Path and query for the service's request line. */
  target: string;
  /** Patterns that needed too many steps on this path, and so counted as not matching. */
  gaveUp: string[];
}

export interface NotRouted {
  outcome: "no-target";
  /** The hosts of the request, none of which is a domain of the session, in order. */
  hosts: { host: string; source: DomainMatch["source"] }[];
}

export type RouteDecision = Routed | NotRouted;

/**
 * Decides where a request of this session goes. A pure function that never throws:
 * the same request gives the same decision wherever it is asked.
 */
export function route(
  name: string,
  session: Routing,
  head: RequestHead,
  budget: StepBudget = new StepBudget(),
): RouteDecision {
  const table = routingTable(session);
  const found = findDomain(name, table, head);
  const match = found && { domain: found.entry.domain, source: found.source };

  const destination = head.header("linkup-destination");
  const direct = destination ? table.destinations.get(destination) : undefined;
  if (direct) {
    const override = namedOverride(table.overrides, direct.service.name, head);
    return routed(direct, override, { by: "destination" }, match, head.target, [], []);
  }

  if (found) {
    const { path, query } = splitTarget(head.target);
    const gaveUp: string[] = [];
    const { serviceName, reason } = chooseService(found.entry, path, gaveUp, budget);
    const service = table.services.get(serviceName);
    if (service) {
      // Costs nothing where no override is on.
      const override =
        table.overrides.length === 0
          ? undefined
          : firstOverride(
              table.overrides,
              { head, path, domain: found.entry.domain.domain, service: serviceName },
              (pattern, text) => matches(pattern, text, gaveUp, budget),
            );
      const rewrites = applyRewrites(service, path, gaveUp, budget);
      const target = rewrites.length === 0 ? head.target : rewrites.at(-1)!.path + query;
      return routed(service, override, reason, match, target, rewrites, gaveUp);
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
  chosen: ServiceEntry,
  override: OverrideEntry | undefined,
  reason: RouteReason,
  match: DomainMatch | undefined,
  target: string,
  rewrites: Routed["rewrites"],
  gaveUp: string[],
): Routed {
  const { service, origin } = override ? overridden(override, chosen) : chosen;
  const decision: Routed = { outcome: "routed", service, reason, match, rewrites, origin, target, gaveUp };
  if (!override) return decision;
  const { name, does } = override.override;
  return { ...decision, override: name, ...(does === undefined ? {} : { does }) };
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
  budget: StepBudget,
): { serviceName: string; reason: RouteReason } {
  for (const { index, pattern, service } of routes) {
    if (matches(pattern, path, gaveUp, budget))
      return { serviceName: service, reason: { by: "route", index, pattern: pattern.source } };
  }
  return { serviceName: domain.default_service, reason: { by: "default" } };
}

/** Each on the result of the one before; only the last result has to be a path. */
function applyRewrites(
  { rewrites }: ServiceEntry,
  path: string,
  gaveUp: string[],
  budget: StepBudget,
): Routed["rewrites"] {
  const applied: Routed["rewrites"] = [];
  for (const { rewrite, pattern } of rewrites) {
    const result = replaceAll(pattern, path, rewrite.target, budget);
    if (result.gaveUp) gaveUp.push(rewrite.source);
    if (!result.changed) continue;
    path = result.text;
    applied.push({ ...rewrite, path });
  }
  if (applied.length > 0) applied.at(-1)!.path = asPath(path);
  return applied;
}

/** The result of the rewrites as a path for a request line: rooted, and without characters that would end it. */
function asPath(text: string): string {
  const rooted = text.startsWith("/") ? text : `/${text}`;
  return rooted.replace(/[^!-~]|[?#]/gu, (character) =>
    encodeURIComponent(character.isWellFormed() ? character : "\ufffd"),
  );
}

/** True when the pattern matches anywhere in the path. */
function matches(pattern: Pattern, path: string, gaveUp: string[], budget: StepBudget): boolean {
  const result = pattern.test(path, budget);
  if (result === "gave-up") gaveUp.push(pattern.source);
  return result === "match";
}

/** True when responses to this path keep their own caching headers (`cache_routes`). */
export function keepsCaching(session: Routing, target: string, budget = new StepBudget()): boolean {
  if (session.cache_routes.length === 0) return false;
  const { cacheRoutes } = routingTable(session);
  const { path } = splitTarget(target);
  return cacheRoutes.some((pattern) => matches(pattern, path, [], budget));
}

/** Longest path, in characters, that is routed: patterns are not searched in longer ones. */
export const MAX_PATH = MAX_TEXT;

/** True for a path that routes and rewrites could not be applied to. */
export function isPathTooLong(target: string): boolean {
  return target.length > MAX_PATH && splitTarget(target).path.length > MAX_PATH;
}
