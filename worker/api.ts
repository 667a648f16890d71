/** The Worker's HTTP API, everything under `/linkup`. docs/openapi.yaml describes it. */
import type { TunneledSession, WorkerCapabilities } from "../core/control.ts";
import { isSessionName, nameProblem } from "../core/names.ts";
import { printRouting } from "../core/session.ts";
import { json, text } from "./answer.ts";
import { isAuthorized } from "./auth.ts";
import { readJson } from "./body.ts";
import { versionProblem } from "./client-version.ts";
import { DIRECTORY_NAME, type Env, isDirect } from "./env.ts";
import { forget } from "./lookup.ts";
import { type SavedSession, saveSession } from "./upsert.ts";
import { CAPABILITIES, VERSION } from "./version.ts";

export function isApiPath(path: string): boolean {
  return path === "/linkup" || path.startsWith("/linkup/");
}

/** The answer to an API call; undefined when it is none, and so a request for the proxy. */
export async function callApi(request: Request, url: URL, env: Env): Promise<Response | undefined> {
  if (!(await isAuthorized(request, env)))
    return text(401, "Unauthorized", { "www-authenticate": 'Bearer realm="linkup"' });

  switch (`${request.method} ${url.pathname}`) {
    case "GET /linkup/check":
      return text(200, "OK");
    case "GET /linkup/no-tunnel":
      return text(422, "This linkup session has no associated tunnel / was started with --no-tunnel");
    case "POST /linkup/v2/sessions/tunneled":
      return save(request, "tunneled", "refuse", env, (saved) => {
        const { data, origin_secret } = saved.tunnel!;
        return json({ session_name: saved.name, tunnel_data: data, origin_secret } satisfies TunneledSession);
      });
    case "POST /linkup/v2/sessions/preview":
      return save(request, "preview", "refuse", env, (saved) => json({ session_name: saved.name }));
    case "POST /linkup/local-session": {
      const problem = versionProblem(request.headers.get("x-linkup-version"));
      if (problem) return text(401, problem);
      return save(request, "tunneled", "fresh-name", env, (saved) => text(200, saved.name));
    }
    case "POST /linkup/preview-session":
      return save(request, "preview", "fresh-name", env, (saved) => text(200, saved.name));
    case "GET /linkup/tunnel":
      return tunnelOf(url.searchParams.get("session_name") ?? "", env);
    case "GET /linkup/v2/capabilities":
      return json({
        version: VERSION,
        tunnel: isDirect(env) ? "direct" : "cloudflare",
        capabilities: CAPABILITIES,
      } satisfies WorkerCapabilities);
    case "GET /linkup/v2/sessions":
      return json({ sessions: await directory(env).list() });
  }
  const name = /^\/linkup\/v2\/sessions\/([^/]+)$/.exec(url.pathname)?.[1];
  if (name === undefined) return undefined;
  if (request.method === "GET") return inspect(name, env);
  if (request.method === "DELETE") return remove(name, env);
  return undefined;
}

async function save(
  request: Request,
  kind: "tunneled" | "preview",
  whenTaken: "refuse" | "fresh-name",
  env: Env,
  answer: (saved: SavedSession & { ok: true }) => Response,
): Promise<Response> {
  const body = await readJson(request);
  if (!body.ok) return text(body.status, body.reason);
  const saved = await saveSession(kind, body.json, whenTaken, env);
  return saved.ok ? answer(saved) : text(saved.status, saved.reason);
}

async function tunnelOf(name: string, env: Env): Promise<Response> {
  const problem = nameProblem(name);
  if (problem) return text(400, `session_name: ${problem}`);
  const opened = await session(name, env).openTunnel(name);
  forget(name);
  if (opened.outcome === "tunnel-failed") return text(502, opened.reason);
  if (opened.outcome !== "stored" || !opened.tunnel)
    throw new Error(`No tunnel for ${name}: ${opened.outcome}`);
  return json(opened.tunnel.data);
}

async function inspect(name: string, env: Env): Promise<Response> {
  const found = isSessionName(name) ? await session(name, env).inspect() : null;
  if (!found) return text(404, `There is no session "${name}".`);
  const { record, tunnel } = found;
  return json({
    session_name: name,
    session_kind: record.session.kind,
    ...printRouting(record.session),
    created: record.created,
    updated: record.updated,
    used: record.used,
    tunnel: tunnel && { name: tunnel.name, url: tunnel.url, last_started: tunnel.last_started },
  });
}

async function remove(name: string, env: Env): Promise<Response> {
  const removed = isSessionName(name) && (await session(name, env).remove());
  forget(name);
  return removed ? new Response(null, { status: 204 }) : text(404, `There is no session "${name}".`);
}

function session(name: string, env: Env) {
  return env.SESSIONS.get(env.SESSIONS.idFromName(name));
}

function directory(env: Env) {
  return env.DIRECTORY.get(env.DIRECTORY.idFromName(DIRECTORY_NAME));
}
