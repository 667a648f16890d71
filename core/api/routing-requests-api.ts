/**
 * API by which an invited colleague changes the routing of a session: below `/linkup/v2/sessions/:name/routing`. The Worker hands
 * the request to the owner's machine, which applies it as its own toggle: only there is the desired state.
 *
 * | call | by | in | out |
 * |---|---|---|---|
 * | `GET` | an invite's token in `linkup-access` | | `SharedRouting`; 404 while the session does not run |
 * | `POST` | the same | `RoutingChange` | 202 `{id}`; 404 |
 * | `GET /:id` | the same | | `RoutingAnswer`; 404 |
 * | `GET` | the owner | | `RoutingRequestList` |
 * | `PUT /:id` | the owner | `{error: string \| null}` | 204; 404 |
 */
import type { RoutedService } from "../session/session-document.ts";

/** Of Workers that hand such requests on. */
export const ROUTING_REQUESTS_CAPABILITY = "routing-requests";

export interface RoutingChange {
  /** By the names of services; at most 100. */
  services: Record<string, "local" | "remote">;
}

/** What somebody sees who may route. */
export interface SharedRouting {
  invite: {
    name: string | null;
    /** Milliseconds since the epoch. */
    expires: number;
  };
  /** By the names of services. */
  services: Record<string, RoutedService>;
}

export interface RoutingRequest extends RoutingChange {
  id: string;
  /** Name of the invite, or its id where it has none. */
  by: string;
  /** Milliseconds since the epoch. */
  at: number;
}

/** Those that wait, oldest first. */
export interface RoutingRequestList {
  requests: RoutingRequest[];
}

export interface RoutingAnswer {
  state: "waiting" | "done" | "failed";
  /** Why it failed. */
  error?: string;
}

/** How long a request waits for the owner's machine, and its answer for the one who asked. */
export const ROUTING_REQUEST_MS = 60_000;
export const MAX_ROUTING_REQUESTS = 20;
export const MAX_ROUTED_SERVICES = 100;
/** Characters of why a change failed. */
export const MAX_ROUTING_ERROR = 1_000;
