/** Chooses the override of a request, if any. */
import type { Pattern } from "../regex/pattern.ts";
import { httpOrigin } from "../session/session-document.ts";
import type { RequestHead } from "./routing-input.ts";
import type { OverrideEntry, ServiceEntry } from "./routing-table.ts";

/**
 * On the request: the override that the first hop found to match, for the second, which trusts it as it trusts
 * `linkup-destination`. On the response: the override that acted.
 */
export const OVERRIDE_HEADER = "linkup-override";

/** What an override's conditions are about. */
export interface OverriddenRequest {
  head: RequestHead;
  /** Before its rewrites. */
  path: string;
  /** The domain that the request is for, and the service that routing has chosen. */
  domain: string | undefined;
  service: string;
}

/** The first whose conditions all hold. `matches`: whether a pattern is found in a text. */
export function firstOverride(
  overrides: readonly OverrideEntry[],
  request: OverriddenRequest,
  matches: (pattern: Pattern, text: string) => boolean,
): OverrideEntry | undefined {
  return overrides.find(
    (entry) =>
      isAbout(entry, request) &&
      (entry.path === undefined || matches(entry.path, request.path)) &&
      entry.headers.every(({ name, pattern }) => {
        const value = request.head.header(name);
        return typeof value === "string" && matches(pattern, value);
      }),
  );
}

/** The conditions that need no pattern. */
function isAbout({ override }: OverrideEntry, { head, domain, service }: OverriddenRequest): boolean {
  const { service: only, domain: onDomain, methods } = override;
  return (
    (only === undefined || only === service) &&
    (onDomain === undefined || onDomain.toLowerCase() === domain?.toLowerCase()) &&
    (methods === undefined || methods.includes(head.method ?? "GET"))
  );
}

/** The override that the first hop named, for a request that it routed to this service. */
export function namedOverride(
  overrides: readonly OverrideEntry[],
  service: string,
  head: RequestHead,
): OverrideEntry | undefined {
  if (overrides.length === 0) return undefined;
  const named = head.header(OVERRIDE_HEADER);
  if (!named) return undefined;
  return overrides.find(
    ({ override }) => override.name === named && (override.service ?? service) === service,
  );
}

/** The service as it is for the override's requests: always the same object, for connections and caches. */
export function overridden({ override, services }: OverrideEntry, entry: ServiceEntry): ServiceEntry {
  const { name } = entry.service;
  const known = services.get(name);
  if (known) return known;
  const { location, fallthrough } = override;
  const service = { ...entry.service, override: override.name };
  if (location !== undefined) {
    service.location = location;
    delete service.fallthrough;
    delete service.fallback;
    delete service.auto;
    delete service.session;
  }
  if (fallthrough !== undefined) service.fallthrough = fallthrough;
  const moved = { ...entry, service, origin: httpOrigin(service.location) ?? service.location };
  services.set(name, moved);
  return moved;
}
