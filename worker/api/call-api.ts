/** The Worker's HTTP API under `/linkup`, as docs/operate/openapi.yaml describes it. */
import * as z from "zod/mini";
import type {
  PreviewSession,
  SessionDetails,
  SessionPage,
  SessionSummary,
  SessionTargets,
  TunnelCheck,
  TunneledSession,
  WorkerCapabilities,
} from "../../core/api/worker-api.ts";
import { lazy } from "../../core/lazy.ts";
import type { RequestHead } from "../../core/routing/routing-input.ts";
import { followSession } from "../../core/routing/session-target.ts";
import type { SessionAccess } from "../../core/session/session-document.ts";
import { serializeRouting } from "../../core/session/session-document.ts";
import { isSessionName, sessionNameError } from "../../core/session/session-name.ts";
import { formatText } from "../../core/text.ts";
import { type Env, isDirect } from "../env.ts";
import { directory, type ListedSession, type ListQuery } from "../objects/directory-object.ts";
import { NO_TUNNEL_ORIGIN } from "../objects/resolved-session.ts";
import { sessionObject, WATCH_PATH } from "../objects/session-object.ts";
import type { StoredSession } from "../objects/stored-session.ts";
import { tunnelRegistry } from "../objects/tunnel-registry.ts";
import { invalidateLookup, lookUp } from "../proxy/session-lookup.ts";
import { NO_TUNNEL_SENTENCE } from "../proxy/worker-failures.ts";
import { TunnelError } from "../tunnel/provider.ts";
import { tunnelProvider } from "../tunnel/tunnels.ts";
import { CAPABILITIES, VERSION } from "../version.ts";
import {
  changeAccess,
  createInvite,
  createOwnerLink,
  listInvites,
  readAccess,
  revokeInvite,
} from "./access.ts";
import type { AuthenticatedCall } from "./authenticated-call.ts";
import { identifyCaller } from "./caller.ts";
import { versionProblem } from "./client-version.ts";
import { readJson } from "./json-body.ts";
import { jsonResponse, noContent, noSession, notOwner, sessionToken, textResponse } from "./responses.ts";
import type { ApiRoute } from "./routes.ts";
import { answerRoutingRequest, callByInvite, listRoutingRequests } from "./routing-request-calls.ts";
import { createToken, listTokens, revokeToken } from "./tokens.ts";
import { expiryValue, type SaveResult, saveSession, type UpsertOptions } from "./upsert.ts";

type Handler = (call: AuthenticatedCall, name: string, item: string) => Response | Promise<Response>;

/** Each deletion may call Cloudflare: some run at a time, so that neither Cloudflare nor the client waits too long. */
const CONCURRENT_DELETIONS = 10;
const DEFAULT_AUDIT_ENTRIES = 100;
const MAX_AUDIT_ENTRIES = 10_000;
/** Sessions in a page. */
const MAX_LISTED = 1000;
const MAX_PATTERN_LENGTH = 200;

const extensionChange = lazy(() => z.object({ expires_in: expiryValue() }));

/** By method and path; the segments at `:name` and `:item` are handed over. */
const HANDLERS: Record<ApiRoute, Handler> = {
  "GET /linkup/check": () => textResponse(200, "OK"),
  "GET /linkup/no-tunnel": () => textResponse(422, NO_TUNNEL_SENTENCE),
  "GET /linkup/tunnel": tunnelOf,
  "POST /linkup/local-session": (call) => {
    const problem = versionProblem(call.request.headers.get("x-linkup-version"));
    if (problem) return textResponse(401, problem);
    return save(call, { kind: "tunneled", onConflict: "fresh-name" }, nameOf);
  },
  "POST /linkup/preview-session": (call) => save(call, { kind: "preview", onConflict: "fresh-name" }, nameOf),
  "POST /linkup/v2/sessions/tunneled": (call) =>
    save(
      call,
      { kind: "tunneled", onConflict: "refuse" },
      ({ name, tunnel, access: { access, trace_key } }) => {
        if (!tunnel) throw new Error(`The tunneled session ${name} has no tunnel.`);
        const { data, origin_secret } = tunnel;
        return jsonResponse({
          session_name: name,
          tunnel_data: data,
          origin_secret,
          ...saidAccess(access),
          ...(trace_key === null ? {} : { trace_key }),
        } satisfies TunneledSession);
      },
    ),
  "POST /linkup/v2/sessions/preview": (call) =>
    save(call, { kind: "preview", onConflict: "refuse" }, ({ name, access: { access } }) =>
      jsonResponse({ session_name: name, ...saidAccess(access) } satisfies PreviewSession),
    ),
  "GET /linkup/v2/capabilities": ({ env }) =>
    jsonResponse({
      version: VERSION,
      tunnel: isDirect(env) ? "direct" : "cloudflare",
      capabilities: CAPABILITIES,
    } satisfies WorkerCapabilities),
  "GET /linkup/v2/tunnel-check": checkTunnels,
  "GET /linkup/v2/sessions": listSessions,
  "DELETE /linkup/v2/sessions": deleteSessions,
  "GET /linkup/v2/sessions/:name": inspectSession,
  "PATCH /linkup/v2/sessions/:name": extendSession,
  "DELETE /linkup/v2/sessions/:name": deleteSession,
  "GET /linkup/v2/sessions/:name/watch": watchSession,
  "GET /linkup/v2/sessions/:name/targets": sessionTargets,
  "GET /linkup/v2/sessions/:name/access": readAccess,
  "PUT /linkup/v2/sessions/:name/access": changeAccess,
  "GET /linkup/v2/sessions/:name/invites": listInvites,
  "POST /linkup/v2/sessions/:name/invites": createInvite,
  "DELETE /linkup/v2/sessions/:name/invites/:item": revokeInvite,
  "POST /linkup/v2/sessions/:name/owner-link": createOwnerLink,
  "GET /linkup/v2/sessions/:name/routing": listRoutingRequests,
  "PUT /linkup/v2/sessions/:name/routing/:item": answerRoutingRequest,
  "GET /linkup/v2/tokens": mainTokenOnly(listTokens),
  "POST /linkup/v2/tokens": mainTokenOnly(createToken),
  "DELETE /linkup/v2/tokens/:name": mainTokenOnly(revokeToken),
  "GET /linkup/v2/audit": mainTokenOnly(auditLog),
};
const handlerOf = (route: string): Handler | undefined =>
  Object.hasOwn(HANDLERS, route) ? HANDLERS[route as ApiRoute] : undefined;
const WITH_NAME = /^(\/linkup\/v2\/(?:sessions|tokens)\/)([^/]+)(\/[a-z-]+)?(?:\/([^/]+))?$/;

/** True for `/linkup` and paths under it, not for `/linkups`. */
export function isUnderLinkup({ target }: RequestHead): boolean {
  return target.startsWith("/linkup") && (target.length === 7 || target[7] === "/" || target[7] === "?");
}

/** The response to an API call; undefined for other paths, which the proxy serves and which need no token. */
export async function callApi(
  request: Request,
  url: URL,
  env: Env,
  context: ExecutionContext,
): Promise<Response | undefined> {
  const { method } = request;
  const [, folder, name = "", rest = "", item] = WITH_NAME.exec(url.pathname) ?? [];
  if (rest === "/routing" && folder === "/linkup/v2/sessions/") {
    const response = await callByInvite(request, env, name, item);
    if (response) return response;
  }
  const pattern = `${folder}:name${rest}${item === undefined ? "" : "/:item"}`;
  const handler = handlerOf(`${method} ${url.pathname}`) ?? (folder && handlerOf(`${method} ${pattern}`));
  if (!handler) return undefined;

  const caller = await identifyCaller(request, env, context);
  if (caller.ok) return handler({ request, url, env, actor: caller.actor }, name, item ?? "");
  switch (caller.status) {
    case 401:
      return textResponse(401, "Unauthorized", { "www-authenticate": "Bearer" });
    case 429:
      return textResponse(429, `Too many calls. Try again in ${caller.retryAfter} s.`, {
        "retry-after": String(caller.retryAfter),
      });
    case 503:
      return textResponse(503, caller.reason);
  }
}

function mainTokenOnly(handler: Handler): Handler {
  return (call, name, item) =>
    call.actor.role === "main"
      ? handler(call, name, item)
      : textResponse(
          403,
          "Only WORKER_TOKEN itself may do this: it manages named tokens and reads the audit log.",
        );
}

type Saved = Extract<SaveResult, { ok: true }>;

function nameOf({ name }: Saved): Response {
  return textResponse(200, name);
}

/** A public session's answer is the original's, to the byte. */
function saidAccess(access: SessionAccess): { access?: SessionAccess } {
  return access === "public" ? {} : { access };
}

async function save(
  { request, url, env, actor }: AuthenticatedCall,
  options: Pick<UpsertOptions, "kind" | "onConflict">,
  respond: (saved: Saved) => Response,
): Promise<Response> {
  const body = await readJson(request);
  if (!body.ok) return textResponse(body.status, body.reason);
  const saved = await saveSession({ ...options, body: body.json, ownHost: url.host, actor }, env);
  return saved.ok ? respond(saved) : textResponse(saved.status, saved.reason);
}

async function tunnelOf({ request, url, env, actor }: AuthenticatedCall): Promise<Response> {
  const name = url.searchParams.get("session_name") ?? "";
  const problem = sessionNameError(name);
  if (problem) return textResponse(400, `session_name: ${formatText(problem)}`);
  const opened = await sessionObject(name, env).openTunnel(name, actor, sessionToken(request));
  invalidateLookup(name);
  switch (opened.outcome) {
    case "stored":
      return jsonResponse(opened.tunnel.data);
    case "forbidden":
      return notOwner(name);
    case "refused":
      return textResponse(400, `session_name: ${opened.reason}`);
    case "tunnel-failed":
      return textResponse(502, opened.reason);
  }
}

/** Asks Cloudflare's API what a new tunnel would need. */
async function checkTunnels({ env }: AuthenticatedCall): Promise<Response> {
  try {
    await tunnelProvider(env, tunnelRegistry(env)).check();
    return jsonResponse({ problem: null } satisfies TunnelCheck);
  } catch (error) {
    if (!(error instanceof TunnelError)) throw error;
    return jsonResponse({ problem: error.message } satisfies TunnelCheck);
  }
}

async function listSessions({ url, env }: AuthenticatedCall): Promise<Response> {
  const { searchParams: query } = url;
  const pattern = query.get("name") ?? "*";
  if (pattern.length > MAX_PATTERN_LENGTH) return patternTooLong();
  const limit = query.has("limit") ? wholeNumber(query.get("limit")!, MAX_LISTED) : undefined;
  if (limit === null) return textResponse(400, `limit: must be a whole number from 1 to ${MAX_LISTED}`);
  return jsonResponse(await sessionPage(env, { pattern, limit, after: query.get("after") ?? undefined }));
}

/** A page of the list, and where the next one begins. Without a limit it is the whole list. */
export async function sessionPage(env: Env, query: ListQuery): Promise<SessionPage> {
  const { limit } = query;
  const found = await directory(env).list(limit === undefined ? query : { ...query, limit: limit + 1 });
  const sessions = found.slice(0, limit).map(summary);
  return found.length > sessions.length ? { sessions, next: sessions.at(-1)!.session_name } : { sessions };
}

function summary({ name, kind, maker, created, updated, used, expires }: ListedSession): SessionSummary {
  return { session_name: name, session_kind: kind, maker, created, updated, used, expires };
}

/** All that a caller may know of a session; undefined without such a session. */
export async function sessionDetails(env: Env, name: string): Promise<SessionDetails | undefined> {
  const found = isSessionName(name) ? await sessionObject(name, env).inspect() : null;
  if (!found) return undefined;
  const { record, expires, tunnel } = found;
  return {
    ...summary(listed(record, expires)),
    ...serializeRouting(record.session),
    tunnel: tunnel && { name: tunnel.name, url: tunnel.url, last_started: tunnel.last_started },
  };
}

function listed({ maker = null, session, ...record }: StoredSession, expires: number): ListedSession {
  return { ...record, kind: session.kind, maker, expires };
}

async function inspectSession({ env }: AuthenticatedCall, name: string): Promise<Response> {
  const found = await sessionDetails(env, name);
  return found ? jsonResponse(found) : noSession(name);
}

async function extendSession({ request, env, actor }: AuthenticatedCall, name: string): Promise<Response> {
  const body = await readJson(request);
  if (!body.ok) return textResponse(body.status, body.reason);
  const change = extensionChange().safeParse(body.json);
  if (!change.success)
    return textResponse(
      400,
      change.error.issues.map(({ path, message }) => `${path.join(".") || "body"}: ${message}`).join("\n"),
    );
  if (!isSessionName(name)) return noSession(name);
  const outcome = await sessionObject(name, env).extend(change.data.expires_in, actor, sessionToken(request));
  if (outcome === "missing") return noSession(name);
  if (outcome === "forbidden") return notOwner(name);
  return jsonResponse(summary(listed(outcome.record, outcome.expires)));
}

/** Opens the WebSocket that tells the session's requests; by the session's object, so that it may hibernate. */
async function watchSession({ request, env, actor }: AuthenticatedCall, name: string): Promise<Response> {
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket")
    return textResponse(426, "Open a WebSocket.", { upgrade: "websocket" });
  if (!isSessionName(name)) return noSession(name);
  const object = sessionObject(name, env);
  switch (await object.mayWatch(actor, sessionToken(request))) {
    case "allowed":
      return object.fetch(`http://session${WATCH_PATH}`, { headers: { upgrade: "websocket" } });
    case "forbidden":
      return notOwner(name);
    case "missing":
      return noSession(name);
  }
}

/** Where the services that other sessions serve go now. */
async function sessionTargets({ env }: AuthenticatedCall, name: string): Promise<Response> {
  const session = isSessionName(name) ? await lookUp(name, env) : null;
  if (!session) return noSession(name);
  const targets: [string, SessionTargets["targets"][string]][] = [];
  for (const service of session.routing.services) {
    if (service.session === undefined) continue;
    const found = await followSession(name, service, (name) => lookUp(name, env));
    const fallback =
      "fallback" in found
        ? found.fallback
        : found.service.location === NO_TUNNEL_ORIGIN
          ? "service-missing"
          : null;
    targets.push([service.name, { session: service.session, fallback }]);
  }
  return jsonResponse({ targets: Object.fromEntries(targets) } satisfies SessionTargets);
}

/** With `keep_tunnel=true` the session's next start finds its tunnel, whose name every resolver knows by then. */
async function deleteSession(
  { request, url, env, actor }: AuthenticatedCall,
  name: string,
): Promise<Response> {
  const keepTunnel = url.searchParams.get("keep_tunnel") === "true";
  const outcome = isSessionName(name)
    ? await sessionObject(name, env).remove(actor, sessionToken(request), { keepTunnel })
    : "missing";
  invalidateLookup(name);
  switch (outcome) {
    case "deleted":
      return noContent();
    case "forbidden":
      return notOwner(name);
    case "missing":
      return noSession(name);
  }
}

/** Deletes the caller's own sessions; with the main token all that match. */
async function deleteSessions({ url, env, actor }: AuthenticatedCall): Promise<Response> {
  const pattern = url.searchParams.get("name");
  if (!pattern) return textResponse(400, "name: give a pattern of the sessions to delete, such as pr-*");
  if (pattern.length > MAX_PATTERN_LENGTH) return patternTooLong();
  const maker = actor.role === "named" ? actor.name : undefined;
  const names = (await directory(env).list({ pattern, maker })).map(({ name }) => name);
  const deleted: string[] = [];
  for (let start = 0; start < names.length; start += CONCURRENT_DELETIONS) {
    const batch = names.slice(start, start + CONCURRENT_DELETIONS);
    const outcomes = await Promise.all(batch.map((name) => sessionObject(name, env).remove(actor, null)));
    deleted.push(...batch.filter((_, index) => outcomes[index] === "deleted"));
    batch.forEach(invalidateLookup);
  }
  return jsonResponse({ deleted });
}

async function auditLog({ url, env }: AuthenticatedCall): Promise<Response> {
  const limit = wholeNumber(
    url.searchParams.get("limit") ?? String(DEFAULT_AUDIT_ENTRIES),
    MAX_AUDIT_ENTRIES,
  );
  if (limit === null)
    return textResponse(400, `limit: must be a whole number from 1 to ${MAX_AUDIT_ENTRIES}`);
  return jsonResponse({ entries: await directory(env).auditLog(limit) });
}

/** Null unless the text is a whole number from 1 to `max`. */
function wholeNumber(text: string, max: number): number | null {
  const value = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return value >= 1 && value <= max ? value : null;
}

function patternTooLong(): Response {
  return textResponse(400, `name: a pattern has at most ${MAX_PATTERN_LENGTH} characters`);
}
