/** Services that are routed automatically: local while something listens at their local address, remote otherwise. */
import type { AutoState, Routing, Service } from "./session-document.ts";

/** The routing with each of these services at its one location of now; the same object where there are none. */
export function resolveAuto<R extends Routing>(routing: R, stateOf: (location: string) => AutoState): R {
  if (routing.services.every(({ fallback }) => fallback === undefined)) return routing;
  return { ...routing, services: routing.services.map((service) => resolved(service, stateOf)) };
}

function resolved(service: Service, stateOf: (location: string) => AutoState): Service {
  const { location, fallback, ...rest } = service;
  if (fallback === undefined) return service;
  const auto = stateOf(location);
  // The fallback stays while the local copy is meant: it may end before the watcher has seen it.
  return auto === "local" ? { ...service, auto } : { ...rest, location: fallback, auto };
}
