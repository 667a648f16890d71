/** The documents of a session: one for the local server, one for the Worker. */

import { ACCESS_CAPABILITY } from "../../core/api/access-api.ts";
import type { ServedSession } from "../../core/api/control-api.ts";
import { WATCH_CAPABILITY } from "../../core/api/edge-report-api.ts";
import { OVERRIDES_CAPABILITY } from "../../core/api/worker-api.ts";
import type { Config } from "../../core/config/model/config-model.ts";
import { routingOf, type Target } from "../../core/config/model/config-model.ts";
import type { ConfigOverride } from "../../core/config/model/overrides-of.ts";
import { ownValue } from "../../core/own-value.ts";
import type { OverrideAction } from "../../core/session/override-action.ts";
import {
  httpOrigin,
  needsOwnerMachine,
  type Override,
  type RoutedService,
  type SessionAccess,
  serializeSession,
  type UpsertRequest,
} from "../../core/session/session-document.ts";
import type { SessionRecord } from "./state.ts";

/** Services without a target run remote. */
export function targetOf(targets: Record<string, Target>, service: string): Target {
  return ownValue(targets, service) ?? "remote";
}

/** The first service that requests reach on this machine, through the tunnel where the session has one. */
export function serviceHere({
  config,
  targets,
}: Pick<SessionRecord, "config" | "targets">): string | undefined {
  return config.services.find(({ name }) => ["local", "auto"].includes(targetOf(targets, name)))?.name;
}

/** Whether an override is on in this session. Previews, which no laptop serves, have none. */
export function isOverrideOn(
  { kind, overrides = {} }: Pick<SessionRecord, "kind" | "overrides">,
  { name, enabled = false }: ConfigOverride,
): boolean {
  if (kind === "preview") return false;
  return ownValue(overrides, name) ?? enabled;
}

function overrideActions(record: Pick<SessionRecord, "kind" | "overrides" | "config">) {
  const { overrides = [] } = record.config;
  const actions = overrides.flatMap((override): [string, OverrideAction][] => {
    const { name, respond, fault } = override;
    if (!isOverrideOn(record, override)) return [];
    if (respond) return [[name, { respond }]];
    return fault ? [[name, { fault }]] : [];
  });
  return actions.length > 0 ? { override_actions: Object.fromEntries(actions) } : {};
}

/**
 * What the Worker has to know of the overrides: which requests go elsewhere, and that the local server's own go through the
 * tunnel. What it answers there is nobody else's business.
 */
function publicOverrides(overrides: readonly Override[]): Override[] {
  return overrides.map(({ does, fallthrough, location, ...conditions }) => ({
    ...conditions,
    location: does !== undefined || location === undefined ? "http://localhost/" : asLocalhost(location),
  }));
}

/** The document for the local server: locations as in the file. */
export function servedSession(record: SessionRecord): ServedSession {
  const routing = routingOf(
    record.config,
    (service) => targetOf(record.targets, service),
    (override) => isOverrideOn(record, override),
  );
  // Where another session has a service is known to the Worker alone.
  for (const service of routing.services)
    if (service.session !== undefined) service.location = record.config.linkup.worker_url;
  return {
    session: serializeSession({
      kind: record.kind,
      session_token: record.session_token,
      ...routing,
      ...(record.share_targets ? { share_targets: true } : {}),
    }),
    ...overrideActions(record),
    origin_secret: record.origin_secret,
    ...(record.trace_key === undefined ? {} : { trace_key: record.trace_key }),
    config_path: record.config_path,
    edge: edgeOf(record),
  };
}

/** Where the local server watches the session's requests at the Worker. Null for a Worker that cannot tell them. */
function edgeOf({
  config,
  kind,
  worker,
  worker_token,
}: SessionRecord): NonNullable<ServedSession["edge"]> | null {
  const canWatch = kind !== "isolated" && worker?.capabilities.includes(WATCH_CAPABILITY);
  return canWatch && worker_token !== null
    ? { url: config.linkup.worker_url.replace(/\/+$/, ""), token: worker_token }
    : null;
}

/** For the Worker. Whatever the file calls this machine, the Worker knows it as `localhost` and puts the tunnel in its place. */
export function upsertRequest(
  record: Pick<
    SessionRecord,
    | "kind"
    | "name"
    | "name_asked"
    | "config"
    | "targets"
    | "session_token"
    | "expires_at"
    | "access"
    | "overrides"
    | "may_route_until"
    | "routed_by"
  > & { share_targets?: true } & { worker?: SessionRecord["worker"] },
  tunnelUrl: string | undefined,
): UpsertRequest {
  const hasOverrides = record.worker?.capabilities.includes(OVERRIDES_CAPABILITY) ?? false;
  const routing = routingOf(
    record.config,
    (service) => targetOf(record.targets, service),
    (override) => hasOverrides && isOverrideOn(record, override),
  );
  if (routing.overrides) routing.overrides = publicOverrides(routing.overrides);
  for (const service of routing.services) {
    // A deployed copy on this machine is an ordinary place to a Worker that runs here too.
    if (targetOf(record.targets, service.name) !== "remote" && service.session === undefined)
      service.location = asLocalhost(service.location);
    // Of what is routed automatically the Worker only knows the tunnel: the local server decides for each request.
    delete service.fallback;
    // The local server's: requests that go on do so from here.
    delete service.fallthrough;
  }
  const isPreview = record.kind === "preview";
  return {
    ...routing,
    ...(record.share_targets ? { share_targets: true } : {}),
    ...(record.name !== null
      ? { desired_name: record.name }
      : isPreview
        ? {}
        : { name_kind: "animal" as const }),
    ...sessionToken(record),
    ...(tunnelUrl === undefined ? {} : { tunnel_url: tunnelUrl }),
    ...requestedAccess(record),
    ...routedServices(record),
    ...(record.expires_at === undefined ? {} : { expires_in: secondsUntil(record.expires_at) }),
  };
}

/** For those who may route by an invite, while there may be any. */
function routedServices({
  config,
  targets,
  may_route_until = 0,
  routed_by = {},
}: Pick<SessionRecord, "config" | "targets" | "may_route_until" | "routed_by">): Pick<
  UpsertRequest,
  "routed"
> {
  if (may_route_until <= Date.now()) return {};
  const services = config.services.map(({ name }): [string, RoutedService] => [
    name,
    {
      // A URL's path or credentials are the owner's.
      target: httpOrigin(targetOf(targets, name)) ?? targetOf(targets, name),
      ...(Object.hasOwn(routed_by, name) ? { by: routed_by[name]! } : {}),
    },
  ]);
  return { routed: Object.fromEntries(services) };
}

function secondsUntil(time: number): number {
  return Math.max(1, Math.round((time - Date.now()) / 1000));
}

/** The token of all previews. An original Worker takes a name without a token for none at all. */
const PREVIEW_TOKEN = "preview_session";

function sessionToken({ kind, name, session_token }: Pick<SessionRecord, "kind" | "name" | "session_token">) {
  if (kind !== "preview") return { session_token };
  // Without a name a preview is named by its content, for everyone alike.
  return name === null ? {} : { session_token: PREVIEW_TOKEN };
}

/** What a Worker adds to a name with `access: unguessable`. */
export const UNGUESSABLE_SUFFIX = /-[a-z0-9]{10}$/;

/** Who can open the session, as far as somebody said; undefined leaves it to the Worker. */
export function accessOf({
  access,
  config,
}: Pick<SessionRecord, "access" | "config">): SessionAccess | undefined {
  return access ?? config.linkup.access;
}

function requestedAccess(
  record: Pick<SessionRecord, "config" | "name" | "name_asked" | "access"> & {
    worker?: SessionRecord["worker"];
  },
): Pick<UpsertRequest, "access" | "access_open"> {
  const access = accessOf(record);
  if (access === undefined) return {};
  if (access === "private") return { access, access_open: record.config.linkup.access_open ?? [] };
  if (access === "unguessable" && needsUnguessableName(record)) return { access };
  // Only a Worker that keeps sessions private needs to be told.
  return record.worker?.capabilities.includes(ACCESS_CAPABILITY) ? { access: "public" } : {};
}

/** False once the Worker has given one: the session keeps it, also after it was stopped and deleted there. */
function needsUnguessableName({ name, name_asked }: Pick<SessionRecord, "name" | "name_asked">): boolean {
  return name === null || name_asked === true || !UNGUESSABLE_SUFFIX.test(name);
}

/**
 * `http://127.0.0.1:3000/a` → `http://localhost:3000/a`, which tells the Worker to use the tunnel: for this machine, and
 * for private networks, which only this machine reaches. Public locations stay as they are. No Worker knows `h2c`: what
 * the service speaks matters at the end of the tunnel only.
 */
export function asLocalhost(location: string): string {
  const known = location.replace(/^h2c:/i, "http:");
  if (!needsOwnerMachine(known)) return known;
  const url = new URL(known);
  url.hostname = "localhost";
  return url.toString();
}

/** The file's content without the token, which is stored separately. */
export function withoutToken(config: Config): Config {
  const { worker_token, ...linkup } = config.linkup;
  return { ...config, linkup };
}

/** A hash of the content: tells whether it has to be sent again. */
export function fingerprint(...content: unknown[]): string {
  // Loaded lazily: most commands change nothing.
  const { createHash } = process.getBuiltinModule("node:crypto");
  return createHash("sha256").update(JSON.stringify(content)).digest("base64url").slice(0, 22);
}
