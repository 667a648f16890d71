/** The Worker's HTTP API, everything under `/linkup`. docs/operate/openapi.yaml describes it. */
import type {
  SessionDetails,
  SessionSummary,
  TunneledSession,
  WorkerCapabilities,
} from "../../core/api/control-api.ts";
import type { RequestHead } from "../../core/routing/routing-input.ts";
import { serializeRouting } from "../../core/session/session-document.ts";
import { isSessionName, sessionNameError } from "../../core/session/session-name.ts";
import { type Env, isDirect } from "../env.ts";
import { directory, type Listed } from "../objects/directory-object.ts";
import { NO_TUNNEL_SENTENCE } from "../proxy/failure.ts";
import { forget } from "../proxy/lookup.ts";
import { CAPABILITIES, VERSION } from "../version.ts";
import { json, nothing, text } from "./answer.ts";
import { identifyCaller } from "./auth.ts";
import { readJson } from "./body.ts";
import { versionProblem } from "./client-version.ts";
import { callTokensApi } from "./tokens-api.ts";
import { type SavedSession, saveSession, type UpsertCall } from "./upsert.ts";

const DELETED_AT_A_TIME = 10;

/** True for `/linkup` and what is under it, not for what only begins so. */
export function isApiCall({ target }: RequestHead): boolean {
  return target.startsWith("/linkup") && (target.length === 7 || target[7] === "/" || target[7] === "?");
}

/** The answer to an API call; undefined when it is none of them, and so a request for the proxy. */
export async function callApi(request: Request, url: URL, env: Env): Promise<Response | undefined> {
  const caller = await identifyCaller(request, env);
  if (!caller.ok) {
    if (caller.status === 401) return text(401, "Unauthorized", { "www-authenticate": "Bearer" });
    return text(429, `Too many calls. Try again in ${caller.retryAfter} s.`, {
      "retry-after": String(caller.retryAfter),
    });
  }
  if (url.pathname === "/linkup/v2/tokens" || url.pathname.startsWith("/linkup/v2/tokens/"))
    return callTokensApi(request, url, caller, env);

  switch (`${request.method} ${url.pathname}`) {
    case "GET /linkup/check":
      return text(200, "OK");
    case "GET /linkup/no-tunnel":
      return text(422, NO_TUNNEL_SENTENCE);
    case "GET /linkup/tunnel":
      return tunnelOf(url.searchParams.get("session_name") ?? "", env);
    case "POST /linkup/local-session": {
      const problem = versionProblem(request.headers.get("x-linkup-version"));
      if (problem) return text(401, problem);
      return save(request, url, { kind: "tunneled", whenTaken: "fresh-name" }, env, nameOf);
    }
    case "POST /linkup/preview-session":
      return save(request, url, { kind: "preview", whenTaken: "fresh-name" }, env, nameOf);
    case "POST /linkup/v2/sessions/tunneled":
      return save(request, url, { kind: "tunneled", whenTaken: "refuse" }, env, ({ name, tunnel }) => {
        if (!tunnel) throw new Error(`The tunneled session ${name} has no tunnel.`);
        const { data, origin_secret } = tunnel;
        return json({ session_name: name, tunnel_data: data, origin_secret } satisfies TunneledSession);
      });
    case "POST /linkup/v2/sessions/preview":
      return save(request, url, { kind: "preview", whenTaken: "refuse" }, env, ({ name }) =>
        json({ session_name: name }),
      );
    case "GET /linkup/v2/capabilities":
      return json({
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

type Saved = Extract<SavedSession, { ok: true }>;

function nameOf({ name }: Saved): Response {
  return text(200, name);
}

async function save(
  request: Request,
  url: URL,
  call: Pick<UpsertCall, "kind" | "whenTaken">,
  env: Env,
  answer: (saved: Saved) => Response,
): Promise<Response> {
  const body = await readJson(request);
  if (!body.ok) return text(body.status, body.reason);
  const saved = await saveSession({ ...call, body: body.json, ownHost: url.host }, env);
  return saved.ok ? answer(saved) : text(saved.status, saved.reason);
}

async function tunnelOf(name: string, env: Env): Promise<Response> {
  const problem = sessionNameError(name);
  if (problem) return text(400, `session_name: ${problem}`);
  const opened = await sessionObject(name, env).openTunnel(name);
  forget(name);
  switch (opened.outcome) {
    case "stored":
      return json(opened.tunnel.data);
    case "refused":
      return text(400, `session_name: ${opened.reason}`);
    case "tunnel-failed":
      return text(502, opened.reason);
  }
}

async function list(pattern: string, env: Env): Promise<Response> {
  const found = await directory(env).list(pattern);
  return json({ sessions: found.map(summary) });
}

function summary({ name, kind, created, updated, expires }: Listed): SessionSummary {
  return { session_name: name, session_kind: kind, created, updated, expires };
}

async function inspect(name: string, env: Env): Promise<Response> {
  const found = isSessionName(name) ? await sessionObject(name, env).inspect() : null;
  if (!found) return noSession(name);
  const { record, expires, tunnel } = found;
  return json({
    ...summary({ ...record, kind: record.session.kind, expires }),
    used: record.used,
    ...serializeRouting(record.session),
    tunnel: tunnel && { name: tunnel.name, url: tunnel.url, last_started: tunnel.last_started },
  } satisfies SessionDetails);
}

async function remove(name: string, env: Env): Promise<Response> {
  const removed = isSessionName(name) && (await sessionObject(name, env).remove());
  forget(name);
  return removed ? nothing() : noSession(name);
}

async function removeAll(pattern: string | null, env: Env): Promise<Response> {
  if (!pattern) return text(400, "name: say which sessions to delete, by a pattern such as pr-*");
  const names = (await directory(env).list(pattern)).map(({ name }) => name);
  const deleted: string[] = [];
  // Each may have a tunnel to delete: some at a time, so that neither Cloudflare nor the client waits too long.
  for (let start = 0; start < names.length; start += DELETED_AT_A_TIME) {
    const some = names.slice(start, start + DELETED_AT_A_TIME);
    const removed = await Promise.all(some.map((name) => sessionObject(name, env).remove()));
    deleted.push(...some.filter((_, index) => removed[index]));
    some.forEach(forget);
  }
  return json({ deleted });
}

function noSession(name: string): Response {
  return text(404, `There is no session "${name}".`);
}

function sessionObject(name: string, env: Env) {
  return env.SESSIONS.getByName(name);
}
