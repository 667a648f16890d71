/** A session's routing, indexed and with compiled patterns: built once, not for every request. */
import { compile, type Pattern } from "../regex/pattern.ts";
import {
  type Domain,
  httpOrigin,
  type Override,
  type Rewrite,
  type Routing,
  type Service,
} from "../session/session-document.ts";
import { destinationOf } from "./destination.ts";

/** Invalid patterns match nothing and are omitted. Of two domains, services or overrides of a service with one name the first counts. */
export interface RoutingTable {
  /** By name. */
  services: ReadonlyMap<string, ServiceEntry>;
  /** By the value of `linkup-destination`. */
  destinations: ReadonlyMap<string, ServiceEntry>;
  /** By lower-case domain. */
  domains: ReadonlyMap<string, DomainEntry>;
  cacheRoutes: readonly Pattern[];
  overrides: readonly OverrideEntry[];
}

export interface ServiceEntry {
  service: Service;
  /** `http://host:port` of its location. */
  origin: string;
  rewrites: readonly { rewrite: Rewrite; pattern: Pattern }[];
}

export interface DomainEntry {
  domain: Domain;
  /** `index` is the route's place in linkup.yaml. */
  routes: readonly { index: number; pattern: Pattern; service: string }[];
}

export interface OverrideEntry {
  override: Override;
  path: Pattern | undefined;
  headers: readonly { name: string; pattern: Pattern }[];
  /** The services as they are for its requests, by name. Filled on demand. */
  services: Map<string, ServiceEntry>;
}

const tables = new WeakMap<Routing, RoutingTable>();

/** Cached as long as the routing exists, which must not change. */
export function routingTable(routing: Routing): RoutingTable {
  const known = tables.get(routing);
  if (known) return known;
  const table = newTable(routing);
  tables.set(routing, table);
  return table;
}

function newTable({ services, domains, cache_routes, overrides = [] }: Routing): RoutingTable {
  // In reverse, so that the first of a name wins.
  const entries = services.toReversed().map(serviceEntry);
  return {
    services: new Map(entries.map((entry) => [entry.service.name, entry])),
    destinations: new Map(entries.map((entry) => [destinationOf(entry.service.name), entry])),
    domains: new Map(
      domains.toReversed().map((domain) => [domain.domain.toLowerCase(), domainEntry(domain)]),
    ),
    cacheRoutes: cache_routes.flatMap(patternOf),
    // The second hop finds them by name and service.
    overrides: overrides
      .filter((each, index) => overrides.findIndex((other) => isSameOverride(other, each)) === index)
      .flatMap(overrideEntry),
  };
}

function serviceEntry(service: Service): ServiceEntry {
  return {
    service,
    origin: httpOrigin(service.location) ?? service.location,
    rewrites: service.rewrites.flatMap((rewrite) =>
      patternOf(rewrite.source).map((pattern) => ({ rewrite, pattern })),
    ),
  };
}

function domainEntry(domain: Domain): DomainEntry {
  return {
    domain,
    routes: domain.routes.flatMap(({ path, service }, index) =>
      patternOf(path).map((pattern) => ({ index, pattern, service })),
    ),
  };
}

/** One without a service is about each. */
function isSameOverride(a: Override, b: Override): boolean {
  return a.name === b.name && (a.service === undefined || b.service === undefined || a.service === b.service);
}

function overrideEntry(override: Override): OverrideEntry[] {
  const path = override.path === undefined ? undefined : patternOf(override.path)[0];
  const given = override.headers ?? [];
  const headers = given.flatMap(({ name, pattern }) =>
    patternOf(pattern).map((compiled) => ({ name: name.toLowerCase(), pattern: compiled })),
  );
  if (override.path !== undefined && !path) return [];
  return headers.length === given.length ? [{ override, path, headers, services: new Map() }] : [];
}

function patternOf(source: string): Pattern[] {
  const compiled = compile(source);
  return compiled.ok ? [compiled.pattern] : [];
}
