/**
 * The operators' page: sessions, tokens, the audit log and limits, as HTML without scripts. It is served at hosts of its own,
 * where nothing is proxied: an answer of a service at the same origin could act with an operator's login.
 */
import { MAX_EXPIRY_S } from "../../core/api/worker-api.ts";
import { hostname, sessionLabel } from "../../core/session/host-name.ts";
import { RESERVED_NAMES } from "../../core/session/reserved-names.ts";
import { isSessionName } from "../../core/session/session-name.ts";
import { sessionDetails, sessionPage } from "../api/call-api.ts";
import { type Caller, callsPerMinute } from "../api/caller.ts";
import { MAX_JSON_BYTES } from "../api/json-body.ts";
import { TOKEN_NAME } from "../api/tokens.ts";
import { type Env, isDirect, reservedNames } from "../env.ts";
import { ATTEMPTS_PER_MINUTE, directory, MAX_AUDIT_ENTRIES } from "../objects/directory-object.ts";
import { lifetimes } from "../objects/lifetime.ts";
import type { Actor } from "../objects/owner.ts";
import { sessionObject } from "../objects/session-object.ts";
import { invalidateLookup } from "../proxy/session-lookup.ts";
import { VERSION } from "../version.ts";
import { readForm } from "./form.ts";
import { html } from "./html.ts";
import { pageResponse, seeOther, styleResponse } from "./layout.ts";
import { isFromThisPage, loggedIn, logIn, logOut } from "./login.ts";
import { STYLE } from "./style.ts";
import { aboutView, auditView, loginView, sessionsView, sessionView, tokensView } from "./views.ts";

const SESSIONS_PER_PAGE = 100;
const ENTRIES_PER_PAGE = 100;

/** True for hosts that serve the page, and nothing of any session. */
export function isPageHost(host: string, { LINKUP_PAGE_HOSTS: hosts }: Env): boolean {
  if (hosts === undefined) return host.startsWith("linkup.") && sessionLabel(host) === "linkup";
  return hosts !== "" && hosts.split(",").some((name) => name.trim().toLowerCase() === hostname(host));
}

interface PageCall {
  request: Request;
  url: URL;
  env: Env;
  actor: Actor;
  /** Of a POST. */
  form: URLSearchParams;
}

type View = (call: PageCall, name: string) => Response | Promise<Response>;

/** By method and path; `:name` is a segment of session's or token's characters. */
const VIEWS: Record<string, View> = {
  "GET /linkup/": sessions,
  "GET /linkup/sessions/:name": session,
  "POST /linkup/sessions/:name/extend": extend,
  "POST /linkup/sessions/:name/delete": remove,
  "GET /linkup/tokens": tokens,
  "POST /linkup/tokens": createToken,
  "POST /linkup/tokens/:name/revoke": revokeToken,
  "GET /linkup/audit": audit,
  "GET /linkup/about": about,
};
const WITH_NAME = /^(\/linkup\/(?:sessions|tokens)\/)([A-Za-z0-9._-]{1,100})(\/\w+)?$/;

/** The answer to a request at one of the page's hosts that is no API call. */
export async function servePage(
  request: Request,
  url: URL,
  env: Env,
  context: ExecutionContext,
): Promise<Response> {
  const { pathname, host } = url;
  // A token typed into a page without TLS has already been read by others.
  if (!isSecure(request, url, env)) return seeOther(`https://${host}${pathname}`);
  const method = request.method === "HEAD" ? "GET" : request.method;
  if (pathname === "/" || pathname === "/linkup") return seeOther("/linkup/");
  if (pathname === "/linkup/style.css") return styleResponse(STYLE);

  const form = method === "POST" ? await readForm(request) : new URLSearchParams();
  if (!form) return message(413, "Too large", "The form is too large.");
  if (method === "POST" && !isFromThisPage(request, url, env))
    return message(
      403,
      "Not sent from here",
      "The form was not sent by this page. Open it again and repeat.",
    );
  if (method === "POST" && pathname === "/linkup/login") return login(form, request, env, context);
  if (method === "POST" && pathname === "/linkup/logout")
    return seeOther("/linkup/", { "set-cookie": await logOut(request, env) });

  const [, folder = "", name = "", action = ""] = WITH_NAME.exec(pathname) ?? [];
  const view = VIEWS[`${method} ${pathname}`] ?? VIEWS[`${method} ${folder}:name${action}`];
  if (!view)
    return message(
      404,
      "Not found",
      "There is no such page. Hosts of sessions start with the session's name.",
    );
  const caller = await loggedIn(request, env);
  return caller.ok ? view({ request, url, env, actor: caller.actor, form }, name) : loginPage(caller, "none");
}

async function login(
  form: URLSearchParams,
  request: Request,
  env: Env,
  context: ExecutionContext,
): Promise<Response> {
  const outcome = await logIn(form.get("token")?.trim() ?? "", request, env, context);
  return "cookie" in outcome
    ? seeOther("/linkup/", { "set-cookie": outcome.cookie })
    : loginPage(outcome, "The Worker does not accept this token.");
}

function loginPage(caller: Exclude<Caller, { ok: true }>, refused: string): Response {
  const title = "Log in";
  switch (caller.status) {
    case 401:
      return pageResponse({ title, body: loginView(refused === "none" ? undefined : refused), status: 401 });
    case 429: {
      const problem = `Too many tries or calls. Try again in ${caller.retryAfter} s.`;
      const headers = { "retry-after": String(caller.retryAfter) };
      return pageResponse({ title, body: loginView(problem), status: 429, headers });
    }
    case 503:
      return pageResponse({ title, body: loginView(caller.reason), status: 503 });
  }
}

async function sessions({ url, env, actor }: PageCall): Promise<Response> {
  const search = (url.searchParams.get("q") ?? "").trim().toLowerCase().slice(0, 100);
  const after = url.searchParams.get("after") ?? undefined;
  const [page, total] = await Promise.all([
    sessionPage(env, { pattern: `*${search}*`, limit: SESSIONS_PER_PAGE, after }),
    directory(env).countSessions(),
  ]);
  const body = sessionsView({ page, total, search, after, now: Date.now(), note: doneNote(url) });
  return pageResponse({ title: "Sessions", body, actor, at: "/linkup/" });
}

async function session({ url, env, actor }: PageCall, name: string): Promise<Response> {
  const found = await sessionDetails(env, name);
  if (!found) return message(404, "No such session", `There is no session "${name}".`, actor);
  const isOwner = actor.role === "main" || found.maker === actor.name;
  const { protocol, port } = url;
  const urlOf = (host: string) =>
    isDirect(env) ? `${protocol}//${host}${port && `:${port}`}/` : `https://${host}/`;
  const body = sessionView({ session: found, now: Date.now(), isOwner, urlOf, note: doneNote(url) });
  return pageResponse({ title: `Session ${name}`, body, actor, at: "/linkup/" });
}

async function extend({ env, actor, form }: PageCall, name: string): Promise<Response> {
  const text = form.get("for") ?? "";
  const seconds = text === "" ? null : Number(text);
  if (seconds !== null && !(Number.isInteger(seconds) && seconds >= 1 && seconds <= MAX_EXPIRY_S))
    return message(400, "Not extended", "Choose one of the times in the list.", actor);
  const outcome = isSessionName(name)
    ? await sessionObject(name, env).extend(seconds, actor, null)
    : "missing";
  if (typeof outcome === "string") return refused(outcome, name, actor);
  return seeOther(`/linkup/sessions/${name}?done=extended&name=${name}`);
}

async function remove({ env, actor }: PageCall, name: string): Promise<Response> {
  const outcome = isSessionName(name) ? await sessionObject(name, env).remove(actor, null) : "missing";
  invalidateLookup(name);
  return outcome === "deleted"
    ? seeOther(`/linkup/?done=deleted&name=${name}`)
    : refused(outcome, name, actor);
}

function refused(why: "missing" | "forbidden", name: string, actor: Actor): Response {
  return why === "missing"
    ? message(404, "No such session", `There is no session "${name}".`, actor)
    : message(403, "Not yours", `The session "${name}" belongs to another token.`, actor);
}

async function tokens(call: PageCall): Promise<Response> {
  return call.actor.role === "main" ? showTokens(call, {}) : mainTokenOnly(call.actor);
}

async function createToken(call: PageCall): Promise<Response> {
  const { env, actor, form } = call;
  if (actor.role !== "main") return mainTokenOnly(actor);
  const name = form.get("name")?.trim() ?? "";
  if (!TOKEN_NAME.test(name))
    return showTokens(call, {
      problem: "A name has 1 to 100 letters, digits or . _ -, and starts with a letter or digit.",
    });
  const token = await directory(env).createToken(name, actor);
  return token === null
    ? showTokens(call, { problem: `The token "${name}" already exists.` })
    : showTokens(call, { made: { name, token } });
}

async function revokeToken({ env, actor }: PageCall, name: string): Promise<Response> {
  if (actor.role !== "main") return mainTokenOnly(actor);
  const revoked = await directory(env).revokeToken(name, actor);
  return revoked
    ? seeOther(`/linkup/tokens?done=revoked&name=${name}`)
    : message(404, "No such token", `There is no token "${name}".`, actor);
}

async function showTokens(
  { url, env, actor }: PageCall,
  { made, problem }: { made?: { name: string; token: string }; problem?: string },
): Promise<Response> {
  const found = await directory(env).listTokens();
  const body = tokensView({ tokens: found, now: Date.now(), made, problem, note: doneNote(url) });
  return pageResponse({ title: "Tokens", body, actor, at: "/linkup/tokens", status: problem ? 400 : 200 });
}

async function audit({ url, env, actor }: PageCall): Promise<Response> {
  if (actor.role !== "main") return mainTokenOnly(actor);
  const text = url.searchParams.get("skip") ?? "0";
  const skip = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  const entries = await directory(env).auditLog(ENTRIES_PER_PAGE, skip);
  const body = auditView({ entries, skip, perPage: ENTRIES_PER_PAGE, now: Date.now() });
  return pageResponse({ title: "Audit", body, actor, at: "/linkup/audit" });
}

function about({ env, actor }: PageCall): Response {
  const { session, tunnel } = lifetimes(env);
  const days = (ms: number) => `${Math.round(ms / 86_400) / 1000} days after its last use`;
  const rate = callsPerMinute(env);
  const body = aboutView([
    ["Version", VERSION],
    ["Tunnels", isDirect(env) ? "direct, on one machine" : "Cloudflare Tunnel"],
    ["A session ends", days(session)],
    ["A tunnel ends", days(tunnel)],
    ["API calls", rate > 0 ? `${rate} for each token and minute` : "not limited"],
    ["Wrong tokens", isDirect(env) ? "not limited" : `${ATTEMPTS_PER_MINUTE} for each address and minute`],
    ["Body of an API call", `${MAX_JSON_BYTES / 1024 / 1024} MiB`],
    ["Audit log", `the newest ${MAX_AUDIT_ENTRIES} entries`],
    ["Reserved names", (reservedNames(env) ?? RESERVED_NAMES).join(", ")],
  ]);
  return pageResponse({ title: "Worker", body, actor, at: "/linkup/about" });
}

function mainTokenOnly(actor: Actor): Response {
  return message(
    403,
    "For the main token",
    "Only WORKER_TOKEN itself manages named tokens and reads the audit log.",
    actor,
  );
}

function message(status: number, title: string, text: string, actor?: Actor): Response {
  return pageResponse({ title, body: html`<p>${text}</p>`, status, ...(actor ? { actor } : {}) });
}

/** A proxy in front of the Worker that ends TLS says so. */
function isSecure({ headers }: Request, { protocol }: URL, env: Env): boolean {
  return protocol === "https:" || headers.get("x-forwarded-proto") === "https" || isDirect(env);
}

const DONE = new Map([
  ["deleted", "Deleted"],
  ["extended", "Extended"],
  ["revoked", "Revoked"],
]);

/** What a form has done. Anybody can write the address, so it says no more than these words and a name. */
function doneNote({ searchParams }: URL): string | undefined {
  const done = searchParams.get("done") ?? "";
  const name = searchParams.get("name") ?? "";
  const word = DONE.get(done);
  return word !== undefined && TOKEN_NAME.test(name) ? `${word} ${name}.` : undefined;
}
