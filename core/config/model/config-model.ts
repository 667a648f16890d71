/** The contents of a valid linkup.yaml. */
import { ownValue } from "../../own-value.ts";
import type { Domain, Rewrite, Routing, Service, SessionAccess } from "../../session/session-document.ts";
import { type ConfigOverride, overridesOf } from "./overrides-of.ts";
import { sessionOfTarget, type Target, targetKind } from "./target.ts";

export type { Target } from "./target.ts";

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
  /** Further copies: URLs by name. */
  targets?: Record<string, string>;
  /** Where it is in a new session. */
  target?: Target;
  /** Relative to the config file. */
  directory?: string;
  /** The command that starts it on this machine, in its directory. One line. */
  run?: string;
  rewrites: Rewrite[];
  health: HealthCheck;
  preserve_host?: boolean;
  /** Requests that the local copy refuses or answers with 404 go on to the remote one. */
  fallthrough?: boolean;
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
  defaults?: {
    /** Where services without a `target` of their own are in a new session. */
    target?: Target;
  };
  /** In the order in which they count. */
  overrides?: ConfigOverride[];
  compare?: {
    /** Places of JSON bodies, and headers, that may differ between the copies of a service. */
    ignore: string[];
  };
}

/** Where the file has a service in a new session; undefined where it does not say. */
export function defaultTarget(
  { defaults }: Pick<Config, "defaults">,
  service: ConfigService,
): Target | undefined {
  return service.target ?? defaults?.target;
}

/** The part of a service that its target decides. A name that the file does not have any more means the remote copy. */
function targetFields(
  { local, remote, targets = {} }: ConfigService,
  target: Target,
): Pick<Service, "location" | "fallback" | "session"> {
  switch (targetKind(target)) {
    case "local":
      return { location: local };
    case "remote":
      return { location: remote };
    case "auto":
      return { location: local, fallback: remote };
    case "url":
      return { location: target };
    case "session":
      return { location: remote, session: sessionOfTarget(target) };
    case "named":
      return { location: ownValue(targets, target) ?? remote };
  }
}

function hasLocal(target: Target): boolean {
  return target === "local" || target === "auto";
}

/** What a session of this file routes when each service runs where `targetOf` says. */
export function routingOf(
  config: Config,
  targetOf: (service: string) => Target,
  isOn: (override: ConfigOverride) => boolean = () => false,
): Routing {
  const overrides = overridesOf(config, isOn);
  const { session_cookie, baggage } = config.linkup;
  return {
    services: config.services.map((service) => ({
      name: service.name,
      ...targetFields(service, targetOf(service.name)),
      rewrites: service.rewrites,
      ...(service.preserve_host === undefined ? {} : { preserve_host: service.preserve_host }),
      ...(service.fallthrough && hasLocal(targetOf(service.name)) ? { fallthrough: service.remote } : {}),
    })),
    domains: config.domains,
    cache_routes: config.linkup.cache_routes,
    ...(overrides.length > 0 ? { overrides } : {}),
    ...(session_cookie === undefined ? {} : { session_cookie }),
    ...(baggage === undefined ? {} : { baggage }),
  };
}
