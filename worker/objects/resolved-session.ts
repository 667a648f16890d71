/** A session as the proxy needs it, with local locations resolved to the tunnel. */
import type { PrivateAccess } from "../../core/access/decide-access.ts";
import {
  httpOrigin,
  type Routing,
  type Session,
  type SessionKind,
} from "../../core/session/session-document.ts";
import { goesThroughTunnel } from "./locality.ts";

/** Of a private session. */
export interface ResolvedAccess extends PrivateAccess {
  /** The ids of invites by the SHA-256 of their tokens, in hexadecimal. */
  tokens: Readonly<Record<string, string>>;
  /** Of the cookies. */
  key: string;
  trace_key: string;
  /** The named token that made the session; null for the main token. */
  maker: string | null;
}

export interface ResolvedSession {
  /** Changes with every change of the session, and with every restart of its object. */
  version: string;
  /** When the session was last changed, in milliseconds since the epoch. Unlike the version it survives a restart. */
  updated: number;
  kind: SessionKind;
  /** Locations on the laptop are the tunnel's URL, or `NO_TUNNEL_ORIGIN` without a tunnel. */
  routing: Routing;
  tunnel: { origin: string; secret: string } | null;
  /** Somebody watches its requests. */
  watched: boolean;
  /** Null when everybody may enter. */
  access: ResolvedAccess | null;
}

/** Version of a missing session. */
export const NO_VERSION = "none";

/** Origin of local services of a session without a tunnel. */
export const NO_TUNNEL_ORIGIN = "http://no-tunnel.invalid";
/** The path that v1 clients send as location of local services when they were started without a tunnel. */
const NO_TUNNEL_PATH = "/linkup/no-tunnel";

export function resolvedSession(
  state: Pick<ResolvedSession, "version" | "updated" | "watched" | "access">,
  session: Session,
  tunnel: { data: { url: string }; origin_secret: string } | null,
  direct: boolean,
): ResolvedSession {
  const { kind, services, domains, cache_routes, session_cookie, baggage, share_targets, overrides } =
    session;
  const resolve = (location: string) => {
    if (isNoTunnelLocation(location)) return NO_TUNNEL_ORIGIN;
    return goesThroughTunnel(location, direct) ? (tunnel?.data.url ?? NO_TUNNEL_ORIGIN) : location;
  };
  return {
    ...state,
    kind,
    routing: {
      services: services.map((service) => ({ ...service, location: resolve(service.location) })),
      domains,
      cache_routes,
      session_cookie,
      baggage,
      share_targets,
      ...(overrides && {
        overrides: overrides.map((override) =>
          override.location === undefined ? override : { ...override, location: resolve(override.location) },
        ),
      }),
    },
    tunnel: tunnel && {
      origin: httpOrigin(tunnel.data.url) ?? tunnel.data.url,
      secret: tunnel.origin_secret,
    },
  };
}

/** True for the address of the Worker's own response about sessions without a tunnel. */
export function isNoTunnelLocation(location: string): boolean {
  return URL.canParse(location) && new URL(location).pathname === NO_TUNNEL_PATH;
}
