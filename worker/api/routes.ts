/** What the API serves, by method and path, as docs/operate/openapi.yaml has it. */

/** With the Worker's tokens. */
export const ROUTES = [
  "GET /linkup/check",
  "GET /linkup/no-tunnel",
  "GET /linkup/tunnel",
  "POST /linkup/local-session",
  "POST /linkup/preview-session",
  "POST /linkup/v2/sessions/tunneled",
  "POST /linkup/v2/sessions/preview",
  "GET /linkup/v2/capabilities",
  "GET /linkup/v2/tunnel-check",
  "GET /linkup/v2/sessions",
  "DELETE /linkup/v2/sessions",
  "GET /linkup/v2/sessions/:name",
  "PATCH /linkup/v2/sessions/:name",
  "DELETE /linkup/v2/sessions/:name",
  "GET /linkup/v2/sessions/:name/watch",
  "GET /linkup/v2/sessions/:name/targets",
  "GET /linkup/v2/sessions/:name/access",
  "PUT /linkup/v2/sessions/:name/access",
  "GET /linkup/v2/sessions/:name/invites",
  "POST /linkup/v2/sessions/:name/invites",
  "DELETE /linkup/v2/sessions/:name/invites/:item",
  "POST /linkup/v2/sessions/:name/owner-link",
  "GET /linkup/v2/sessions/:name/routing",
  "PUT /linkup/v2/sessions/:name/routing/:item",
  "GET /linkup/v2/tokens",
  "POST /linkup/v2/tokens",
  "DELETE /linkup/v2/tokens/:name",
  "GET /linkup/v2/audit",
] as const;
export type ApiRoute = (typeof ROUTES)[number];

/** With the token of an invite that may route, in the place of the Worker's. */
export const INVITE_ROUTES = [
  "GET /linkup/v2/sessions/:name/routing",
  "POST /linkup/v2/sessions/:name/routing",
  "GET /linkup/v2/sessions/:name/routing/:item",
] as const;
