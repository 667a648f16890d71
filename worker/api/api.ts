/** The Worker's HTTP API under `/linkup`, as docs/operate/openapi.yaml describes it. */
import type {
  SessionDetails,
  SessionSummary,
  TunneledSession,
  WorkerCapabilities,
} from "../../core/api/worker-api.ts";
import type { RequestHead } from "../../core/routing/routing-input.ts";
import { serializeRouting } from "../../core/session/session-document.ts";
import { isSessionName, sessionNameError } from "../../core/session/session-name.ts";
import { type Env, isDirect } from "../env.ts";
import { type DirectoryEntry, directory } from "../objects/directory-object.ts";
import { sessionObject } from "../objects/session-object.ts";
import { NO_TUNNEL_SENTENCE } from "../proxy/failures.ts";
import { invalidateLookup } from "../proxy/session-lookup.ts";
import { CAPABILITIES, VERSION } from "../version.ts";
import { identifyCaller } from "./caller.ts";
import { versionProblem } from "./client-version.ts";
import { readJson } from "./json-body.ts";
import { jsonResponse, noContent, textResponse } from "./responses.ts";
import { callTokenApi } from "./tokens.ts";
import { type SaveResult, saveSession, type UpsertOptions } from "./upsert.ts";

/** Each deletion may call Cloudflare: some run at a time, so that neither Cloudflare nor the client waits too long. */
const CONCURRENT_DELETIONS = 10;

/** True for `/linkup` and paths under it, not for `/linkups`. */
export function isApiCall({ target }: RequestHead): boolean {
  return target.startsWith("/linkup") && (target.length === 7 || target[7] === "/" || target[7] === "?");
}

/** The response to an API call; undefined for other paths, which the proxy serves. */
export async function callApi(request: Request, url: URL, env: Env): Promise<Response | undefined> {
  const caller = await identifyCaller(request, env);
  if (!caller.ok) {
    if (caller.status === 401) return textResponse(401, "Unauthorized", { "www-authenticate": "Bearer" });
    return textResponse(429, `Too many calls. Try again in ${caller.retryAfter} s.`, {
      "retry-after": String(caller.retryAfter),
    });
  }
  if (url.pathname === "/linkup/v2/tokens" || url.pathname.startsWith("/linkup/v2/tokens/"))
    return callTokenApi(request, url, caller, env);

  switch (`${request.method} ${url.pathname}`) {
    case "GET /linkup/check":
      return textResponse(200, "OK");
    case "GET /linkup/no-tunnel":
      return textResponse(422, NO_TUNNEL_SENTENCE);
    case "GET /linkup/tunnel":
      return tunnelOf(url.searchParams.get("session_name") ?? "", env);
    case "POST /linkup/local-session": {
      const problem = versionProblem(request.headers.get("x-linkup-version"));
      if (problem) return textResponse(401, problem);
      return save(request, url, { kind: "tunneled", onConflict: "fresh-name" }, env, nameOf);
    }
    case "POST /linkup/preview-session":
      return save(request, url, { kind: "preview", onConflict: "fresh-name" }, env, nameOf);
    case "POST /linkup/v2/sessions/tunneled":
      return save(request, url, { kind: "tunneled", onConflict: "refuse" }, env, ({ name, tunnel }) => {
        if (!tunnel) throw new Error(`The tunneled session ${name} has no tunnel.`);
        const { data, origin_secret } = tunnel;
        return jsonResponse({
          session_name: name,
          tunnel_data: data,
          origin_secret,
        } satisfies TunneledSession);
      });
    case "POST /linkup/v2/sessions/preview":
      return save(request, url, { kind: "preview", onConflict: "refuse" }, env, ({ name }) =>
        jsonResponse({ session_name: name }),
      );
    case "GET /linkup/v2/capabilities":
      return jsonResponse({
        version: VERSION,
        tunnel: isDirect(env) ? "direct" : "cloudflare",
        capabilities: CAPABILITIES,
      } satisfies WorkerCapabilities);
    case "GET /linkup/v2/sessions":
      return list(url.searchParams.get("name") ?? "*", env);
    case "DELETE /linkup/v2/sessions":
      return removeAll(url.searchParams.get("name"), env);
  }
  const name = /^\/linkup\/v2\/sessions\/([^/]+)$/.exec(url.pathname)?.[1];
  if (name !== undefined && request.method === "GET") return inspect(name, env);
  if (name !== undefined && request.method === "DELETE") return remove(name, env);
  return undefined;
}

type Saved = Extract<SaveResult, { ok: true }>;

function nameOf({ name }: Saved): Response {
  return textResponse(200, name);
}

async function save(
  request: Request,
  url: URL,
  options: Pick<UpsertOptions, "kind" | "onConflict">,
  env: Env,
  respond: (saved: Saved) => Response,
): Promise<Response> {
  const body = await readJson(request);
  if (!body.ok) return textResponse(body.status, body.reason);
  const saved = await saveSession({ ...options, body: body.json, ownHost: url.host }, env);
  return saved.ok ? respond(saved) : textResponse(saved.status, saved.reason);
}

async function tunnelOf(name: string, env: Env): Promise<Response> {
  const problem = sessionNameError(name);
  if (problem) return textResponse(400, `session_name: ${problem}`);
  const opened = await sessionObject(name, env).openTunnel(name);
  invalidateLookup(name);
  switch (opened.outcome) {
    case "stored":
      return jsonResponse(opened.tunnel.data);
    case "refused":
      return textResponse(400, `session_name: ${opened.reason}`);
    case "tunnel-failed":
      return textResponse(502, opened.reason);
  }
}

async function list(pattern: string, env: Env): Promise<Response> {
  const found = await directory(env).list(pattern);
  return jsonResponse({ sessions: found.map(summary) });
}

function summary({ name, kind, created, updated, expires }: DirectoryEntry): SessionSummary {
  return { session_name: name, session_kind: kind, created, updated, expires };
}

async function inspect(name: string, env: Env): Promise<Response> {
  const found = isSessionName(name) ? await sessionObject(name, env).inspect() : null;
  if (!found) return noSession(name);
  const { record, expires, tunnel } = found;
  return jsonResponse({
    ...summary({ ...record, kind: record.session.kind, expires }),
    used: record.used,
    ...serializeRouting(record.session),
    tunnel: tunnel && { name: tunnel.name, url: tunnel.url, last_started: tunnel.last_started },
  } satisfies SessionDetails);
}

async function remove(name: string, env: Env): Promise<Response> {
  const removed = isSessionName(name) && (await sessionObject(name, env).remove());
  invalidateLookup(name);
  return removed ? noContent() : noSession(name);
}

async function removeAll(pattern: string | null, env: Env): Promise<Response> {
  if (!pattern) return textResponse(400, "name: give a pattern of the sessions to delete, such as pr-*");
  const names = (await directory(env).list(pattern)).map(({ name }) => name);
  const deleted: string[] = [];
  for (let start = 0; start < names.length; start += CONCURRENT_DELETIONS) {
    const batch = names.slice(start, start + CONCURRENT_DELETIONS);
    const removed = await Promise.all(batch.map((name) => sessionObject(name, env).remove()));
    deleted.push(...batch.filter((_, index) => removed[index]));
    batch.forEach(invalidateLookup);
  }
  return jsonResponse({ deleted });
}

function noSession(name: string): Response {
  return textResponse(404, `There is no session "${name}".`);
}
