/** The session document, and the request that creates or changes one. */
import { isLoopback, isPrivateHost } from "./host-name.ts";

export type SessionKind = "tunneled" | "isolated" | "preview";

/**
 * Where a service that is routed automatically goes now. `restarting`: to the remote copy, because the local one has ended again and again soon
 * after it began to listen, and has to go on listening for a while first.
 */
export type AutoState = "local" | "remote" | "restarting";

export interface Rewrite {
  source: string;
  target: string;
}

export interface Service {
  name: string;
  /** http(s) URL; only its scheme, host and port are used. At the local server also `h2c:`, HTTP/2 without TLS. */
  location: string;
  rewrites: Rewrite[];
  /** Ours: forward the client's `Host` instead of the service's own address. */
  preserve_host?: boolean | undefined;
  /** Ours, at the local server: the location to use while nothing listens at `location`. */
  fallback?: string | undefined;
  /** Where it goes now, of a service with a fallback. Not in documents: the local server sets it. */
  auto?: AutoState | undefined;
  /** Why its own location counts where another session should serve it. Not in documents: only the Worker knows. */
  fell_back?: string | undefined;
  /** Ours: the session whose copy of this service is meant. Without a reachable copy, `location` counts. */
  session?: string | undefined;
  /** At the local server: where requests go on to that this location refuses, or answers with 404. */
  fallthrough?: string | undefined;
  /** Never in a document: the override by which requests go to this location. */
  override?: string | undefined;
}

/**
 * Ours: requests that do not go where their service is, or to whose answer something is done. All of its conditions have
 * to hold. Only those that are switched on are in a session; the first that matches wins.
 */
export interface Override {
  /** As `OVERRIDE_NAME`. */
  name: string;
  /** Only requests for this service, and for this domain. */
  service?: string | undefined;
  domain?: string | undefined;
  /** Regular expression, searched in the path before its rewrites. */
  path?: string | undefined;
  /** Upper case. */
  methods?: string[] | undefined;
  /** Regular expressions, searched in the values of headers that the request must have. */
  headers?: { name: string; pattern: string }[] | undefined;
  /** Where these requests go; missing: where their service is. */
  location?: string | undefined;
  /** At the local server: the other copy that they go on to, as `Service.fallthrough`. */
  fallthrough?: string | undefined;
  /** At the local server: it responds itself, or disturbs the exchange. */
  does?: "respond" | "fault" | undefined;
}

/** Names of overrides stand in headers. */
export const OVERRIDE_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/;

export interface Route {
  path: string;
  service: string;
}

export interface Domain {
  domain: string;
  default_service: string;
  routes: Route[];
}

/** The routing of a session: the part that a toggle changes. */
export interface Routing {
  services: Service[];
  domains: Domain[];
  cache_routes: string[];
  overrides?: Override[] | undefined;
  /** Ours: false when the session must not be remembered by a cookie. */
  session_cookie?: boolean | undefined;
  /** Ours: false to neither add nor accept the session in `baggage`. */
  baggage?: boolean | undefined;
  /** Ours: true when other sessions may route to this one's services (`services[].session`). */
  share_targets?: boolean | undefined;
}

export interface Session extends Routing {
  kind: SessionKind;
  session_token: string;
}

/**
 * Who reaches a session: everybody (`public`), everybody who knows its name, which cannot be guessed (`unguessable`), or
 * only who proves to be invited (`private`).
 */
export type SessionAccess = (typeof SESSION_ACCESS)[number];
export const SESSION_ACCESS = ["public", "unguessable", "private"] as const;

/** Where the owner's machine has a service. */
export interface RoutedService {
  /** As in `linkup.yaml` and the toggles: `local`, `remote`, `auto`, a name, a URL's origin or `session:NAME`. */
  target: string;
  /** Name of the invite by which it was routed there; missing where the owner did it. */
  by?: string | undefined;
}

/** A request to create or change a session, named (`desired_name`) or not. */
export interface UpsertRequest extends Routing {
  /** Ours: `unguessable` adds random characters to the name. Missing: as it is, or the Worker's default. */
  access?: SessionAccess | null | undefined;
  /** Ours: regular expressions; paths of a private session that everybody may request. Missing: as they are. */
  access_open?: string[] | null | undefined;
  desired_name?: string | null | undefined;
  name_kind?: "animal" | "six_char" | null | undefined;
  session_token?: string | null | undefined;
  tunnel_url?: string | null | undefined;
  /** Ours: for those who may route by an invite. Missing: nobody may. */
  routed?: Record<string, RoutedService> | null | undefined;
  /** Ours: seconds until the session is deleted, counted from the request. */
  expires_in?: number | null | undefined;
}

/** The routing as JSON: empty lists are null, as the original Linkup writes them. */
export function serializeRouting(routing: Routing) {
  const orNull = <T>(items: T[]) => (items.length > 0 ? items : null);
  return {
    services: routing.services.map(
      ({ name, location, rewrites, preserve_host, fallback, session, fallthrough }) => ({
        name,
        location,
        rewrites: orNull(rewrites),
        ...(preserve_host === undefined ? {} : { preserve_host }),
        ...(fallback === undefined ? {} : { fallback }),
        ...(session === undefined ? {} : { session }),
        ...(fallthrough === undefined ? {} : { fallthrough }),
      }),
    ),
    domains: routing.domains.map(({ domain, default_service, routes }) => ({
      domain,
      default_service,
      routes: orNull(routes),
    })),
    cache_routes: orNull(routing.cache_routes),
    ...(routing.overrides === undefined ? {} : { overrides: routing.overrides }),
    ...(routing.session_cookie === undefined ? {} : { session_cookie: routing.session_cookie }),
    ...(routing.baggage === undefined ? {} : { baggage: routing.baggage }),
    ...(routing.share_targets === undefined ? {} : { share_targets: routing.share_targets }),
  };
}

/** The session document as JSON; `parseSession` (parse-session.ts) is the inverse. */
export function serializeSession(session: Session) {
  return { kind: session.kind, session_token: session.session_token, ...serializeRouting(session) };
}

/**
 * `http://host:port` of an http(s) URL, without credentials and path; undefined for anything else. `h2c` becomes `http`,
 * the scheme that requests over HTTP/2 without TLS have.
 */
export function httpOrigin(location: string): string | undefined {
  const match = /^(https?|h2c)(:\/\/)(?:[^/?#@]*@)?([^/?#\s]+)/i.exec(location);
  if (!match) return undefined;
  const scheme = match[1]!.toLowerCase();
  return (scheme === "h2c" ? "http" : scheme) + match[2]! + match[3]!;
}

/** True for an http(s) URL that can be parsed. */
export function isHttpUrl(url: string): boolean {
  return /^https?:/i.test(url) && httpOrigin(url) !== undefined && URL.canParse(url);
}

/** True when only the session's own machine reaches the location: it is there, or in a private network (a virtual machine, a container). */
export function needsOwnerMachine(location: string): boolean {
  const origin = httpOrigin(location);
  return origin !== undefined && isPrivateHost(origin.slice(origin.indexOf("//") + 2));
}

/** True when the location is on the machine that uses it. */
export function isLocal(location: string): boolean {
  const origin = httpOrigin(location);
  return origin !== undefined && isLoopback(origin.slice(origin.indexOf("//") + 2));
}
