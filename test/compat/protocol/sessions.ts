/** The sessions that the cases use. Remote copies only, so that every implementation can serve them without a tunnel. */
import type { ProtocolWorld } from "./world.ts";

export const ONE_DOMAIN = "example.com";

/** One service behind `example.com`. */
export function oneService({ services }: ProtocolWorld) {
  return {
    services: [{ name: "frontend", location: services.frontend.url }],
    domains: [{ domain: ONE_DOMAIN, default_service: "frontend" }],
  };
}

/** The session of the contract's examples. */
export function exampleSession({ services }: ProtocolWorld) {
  return {
    services: [
      {
        name: "frontend",
        location: services.frontend.url,
        rewrites: [{ source: "/foo/(.*)", target: "/bar/$1" }],
      },
      {
        name: "backend",
        location: `${services.backend.url}/`,
        rewrites: [{ source: "/api/v2/(.*)", target: "/$1" }],
      },
      { name: "other-frontend", location: services.other.url },
    ],
    domains: [
      {
        domain: "example.com",
        default_service: "frontend",
        routes: [
          { path: "/api/v1/.*", service: "backend" },
          { path: "/api/v2/.*", service: "backend" },
        ],
      },
      { domain: "api.example.com", default_service: "backend" },
      { domain: "other-example.com", default_service: "other-frontend" },
    ],
  };
}

/** A named preview of it. */
export async function named(world: ProtocolWorld, body: object): Promise<string> {
  return world.preview({ ...body, desired_name: world.freshName(), session_token: "proto" });
}
