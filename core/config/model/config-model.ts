/** Where each service of linkup.yaml runs. Apart from parsing the file, which takes a YAML parser. */
import type { Routing } from "../../session/session-document.ts";
import type { Config } from "../parse-config.ts";

export type Target = "local" | "remote";

/** What a session of this file routes when each service runs where `targetOf` says. */
export function routingOf(config: Config, targetOf: (service: string) => Target): Routing {
  return {
    services: config.services.map(({ name, local, remote, rewrites, preserve_host }) => ({
      name,
      location: targetOf(name) === "local" ? local : remote,
      rewrites,
      ...(preserve_host === undefined ? {} : { preserve_host }),
    })),
    domains: config.domains,
    cache_routes: config.linkup.cache_routes,
  };
}
