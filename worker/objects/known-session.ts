/** A session as the proxy needs it. */
import {
  httpOrigin,
  type Routing,
  type Session,
  type SessionKind,
} from "../../core/session/session-document.ts";
import { goesThroughTunnel } from "./locality.ts";

export interface KnownSession {
  /** Differs from that of the session before any change. */
  version: string;
  /** When the session was last changed, in milliseconds since the epoch: unlike the version it outlives its object. */
  updated: number;
  kind: SessionKind;
  /** Locations on the laptop are the tunnel's URL, or `NO_TUNNEL` when there is none. */
  routing: Routing;
  tunnel: { origin: string; secret: string } | null;
}

/** What stands for the version of a session that there is not. */
export const NO_VERSION = "none";

/** The origin of services that nothing leads to. */
export const NO_TUNNEL = "http://no-tunnel.invalid";
/** What clients of the first API give as location of local services when they were started without a tunnel. */
const NO_TUNNEL_PATH = "/linkup/no-tunnel";

export function knownSession(
  { version, updated }: Pick<KnownSession, "version" | "updated">,
  session: Session,
  tunnel: { data: { url: string }; origin_secret: string } | null,
  direct: boolean,
): KnownSession {
  const { kind, services, domains, cache_routes } = session;
  const resolve = (location: string) => {
    if (saysNoTunnel(location)) return NO_TUNNEL;
    return goesThroughTunnel(location, direct) ? (tunnel?.data.url ?? NO_TUNNEL) : location;
  };
  return {
    version,
    updated,
    kind,
    routing: {
      services: services.map((service) => ({ ...service, location: resolve(service.location) })),
      domains,
      cache_routes,
    },
    tunnel: tunnel && {
      origin: httpOrigin(tunnel.data.url) ?? tunnel.data.url,
      secret: tunnel.origin_secret,
    },
  };
}

/** The location is the address of this Worker's answer for sessions without a tunnel. */
export function saysNoTunnel(location: string): boolean {
  return URL.canParse(location) && new URL(location).pathname === NO_TUNNEL_PATH;
}
