/** The Worker's version and capabilities, for clients that also talk to Workers of the original Linkup. */
import { ACCESS_CAPABILITY } from "../core/api/access-api.ts";
import { WATCH_CAPABILITY } from "../core/api/edge-report-api.ts";
import { ROUTING_REQUESTS_CAPABILITY } from "../core/api/routing-requests-api.ts";
import { OVERRIDES_CAPABILITY, SESSION_TARGETS_CAPABILITY } from "../core/api/worker-api.ts";
import { version } from "../package.json";

export const VERSION = version;

export const CAPABILITIES = [
  /** Responses to tunneled upserts have `origin_secret`, and requests through the tunnel carry it. */
  "origin-secret",
  /** `GET /linkup/v2/sessions`, all or by pattern. */
  "list-sessions",
  /** `limit` and `after` of `GET /linkup/v2/sessions`, and who made each session and when it was used. */
  "session-pages",
  /** `GET /linkup/v2/tunnel-check` */
  "tunnel-check",
  /** `PATCH /linkup/v2/sessions/:name` */
  "extend-session",
  /** `GET /linkup/v2/sessions/:name` */
  "inspect-session",
  /** `DELETE /linkup/v2/sessions/:name` */
  "delete-session",
  /** `DELETE /linkup/v2/sessions?name=PATTERN` */
  "delete-by-pattern",
  /** `expires_in` in upsert requests. */
  "expiry",
  /** `access: "unguessable"` in upsert requests. */
  "unguessable-names",
  /** `/linkup/v2/tokens` */
  "named-tokens",
  /** Sessions belong to the token that made them; `linkup-session-token`, `replace`. */
  "owners",
  /** `GET /linkup/v2/audit` */
  "audit",
  /** `GET /linkup/v2/sessions/:name/watch` */
  WATCH_CAPABILITY,
  /** `services[].session` and `share_targets` in upsert requests, `GET /linkup/v2/sessions/:name/targets`. */
  SESSION_TARGETS_CAPABILITY,
  /** `access: "private"` and `access_open` in upsert requests, `/linkup/v2/sessions/:name/{access,invites,owner-link}`. */
  ACCESS_CAPABILITY,
  /** `/linkup/v2/sessions/:name/routing` */
  ROUTING_REQUESTS_CAPABILITY,
  /** `overrides` in upsert requests. */
  OVERRIDES_CAPABILITY,
];
