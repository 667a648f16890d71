/** The contents of a valid linkup.yaml. */
import type { Domain, Rewrite, Routing, SessionAccess } from "../../session/session-document.ts";

export interface HealthCheck {
  /** Starts with a slash. Default `/`. */
  path?: string;
  /** The statuses that mean healthy; without them every one below 500. */
  statuses?: number[];
}

export interface ConfigService {
  name: string;
  remote: string;
  local: string;
  /** Relative to the config file. */
  directory?: string;
  /** The command that starts it on this machine, in its directory. One line. */
  run?: string;
  rewrites: Rewrite[];
  health: HealthCheck;
  preserve_host?: boolean;
}

export interface Config {
  linkup: {
    worker_url: string;
    worker_token?: string;
    cache_routes: string[];
    /** Default true, as `baggage`. */
    session_cookie?: boolean;
    baggage?: boolean;
    /** Default: the Worker's. */
    access?: SessionAccess;
    /** Patterns of the paths that need no proof in a private session. */
    access_open?: string[];
  };
  services: ConfigService[];
  domains: Domain[];
  compare?: {
    /** Places of JSON bodies, and headers, that may differ between the copies of a service. */
    ignore: string[];
  };
}

/** Where a service runs: on this machine, or in its deployed copy. */
export type Target = "local" | "remote";

/** What a session of this file routes when each service runs where `targetOf` says. */
export function routingOf(config: Config, targetOf: (service: string) => Target): Routing {
  const { session_cookie, baggage } = config.linkup;
  return {
    services: config.services.map(({ name, local, remote, rewrites, preserve_host }) => ({
      name,
      location: targetOf(name) === "local" ? local : remote,
      rewrites,
      ...(preserve_host === undefined ? {} : { preserve_host }),
    })),
    domains: config.domains,
    cache_routes: config.linkup.cache_routes,
    ...(session_cookie === undefined ? {} : { session_cookie }),
    ...(baggage === undefined ? {} : { baggage }),
  };
}
