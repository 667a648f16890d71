/**
 * Where an invite link leads: `/linkup/join` at a session's own host. The token is in the fragment, which the page sends by
 * POST; the answers set a cookie at each of the session's domains, one redirect after the other.
 */
import {
  accessCookieHeader,
  accessCookieMac,
  type CookieScope,
  cookieScopes,
} from "../../core/access/access-cookie.ts";
import { clientNetwork } from "../../core/access/client-network.ts";
import type { ClientAddress } from "../../core/routing/forwarded.ts";
import { hostname } from "../../core/session/host-name.ts";
import type { Routing } from "../../core/session/session-document.ts";
import { JOIN_PATH } from "../api/access.ts";
import { callerAddress } from "../api/caller.ts";
import { type Env, isDirect } from "../env.ts";
import type { GrantedAccess, JoinRefusal } from "../objects/access-ledger.ts";
import { sessionObject } from "../objects/session-object.ts";
import { clientOf } from "../proxy/proxy.ts";
import type { ReceivedHead } from "../proxy/received-head.ts";
import { findSession } from "../proxy/session-lookup.ts";
import { RateLimit } from "../rate-limit.ts";
import { newSecret, sha256Hex } from "../secret.ts";
import { readForm } from "./form.ts";
import { Html, html } from "./html.ts";

const HEADERS = {
  "cache-control": "no-store",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "x-robots-tag": "noindex",
};

/** Of one address and minute. */
const REFUSED_PER_MINUTE = 60;

const refusals = new RateLimit(REFUSED_PER_MINUTE);

interface Join {
  name: string;
  routing: Pick<Routing, "domains" | "session_cookie">;
  head: ReceivedHead;
  client: ClientAddress;
  env: Env;
}

/** Undefined where no session is, and its page could not be either. */
export async function serveJoin(
  request: Request,
  url: URL,
  head: ReceivedHead,
  env: Env,
  context: ExecutionContext,
): Promise<Response | undefined> {
  const match = await findSession(head, env, context);
  if (match?.source !== "host") return undefined;
  const { name, session } = match;
  const { routing, access } = session;
  if (!routing.domains.some(({ domain }) => hostname(head.host) === `${name}.${hostname(domain)}`))
    return undefined;
  const client = clientOf(head);
  // A token that is sent without TLS has been read by others. Redirects keep the fragment.
  if (client.scheme === "http" && !isDirect(env)) return seeOther(`https://${head.host}${JOIN_PATH}`);
  if (access === null) return seeOther("/");

  const join: Join = { name, routing, head, client, env };
  const ticket = url.searchParams.get("ticket");
  if (request.method === "GET" && ticket !== null)
    return limited(join, request, () => continueJoin(join, ticket));
  if (request.method === "GET") return joinPage(join);
  if (request.method === "POST") return limited(join, request, () => startJoin(join, request));
  return message(join, 405, "This address does not support this method.");
}

/** Slows an address that is refused, before the session's object is asked. */
async function limited(join: Join, request: Request, enter: () => Promise<Response>): Promise<Response> {
  const address = callerAddress(request, join.env);
  if (address === undefined) return enter();
  const retryAfter = refusals.take(address);
  if (retryAfter > 0) return tooMany(join, retryAfter);
  const response = await enter();
  if (response.status === 303) refusals.refund(address);
  return response;
}

async function startJoin(join: Join, request: Request): Promise<Response> {
  const { name, head, client, env } = join;
  const site = head.header("sec-fetch-site");
  if (site && site !== "same-origin")
    return message(join, 403, "The invite was not sent by this page. Open its link again.");
  const token = (await readForm(request))?.get("token") ?? "";
  const network = isDirect(env) ? null : (clientNetwork(client.ip) ?? null);
  const joined = await sessionObject(name, env).join(await sha256Hex(token), network);
  if (typeof joined === "string") return message(join, 401, REFUSALS[joined]);
  if ("retryAfter" in joined) return tooMany(join, joined.retryAfter);
  const scopes = cookieScopes(name, join.routing);
  const own = hostname(head.host);
  const first =
    scopes.find(({ host }) => host === own) ??
    scopes.find(({ domain }) => domain !== undefined && own.endsWith(`.${domain}`)) ??
    scopes[0]!;
  const to = joined.to ?? `${originOf(own, client)}/`;
  const left = scopes.filter((scope) => scope !== first).map(({ host }) => host);
  return letIn(join, { ...joined, to, left }, first);
}

async function continueJoin(join: Join, ticket: string): Promise<Response> {
  const { name, head, env } = join;
  const joined = await sessionObject(name, env).takeTicket(await sha256Hex(ticket));
  const own = hostname(head.host);
  const scope = cookieScopes(name, join.routing).find(({ host }) => host === own);
  if (!joined || !scope) return message(join, 401, REFUSALS.wrong);
  return letIn(join, joined, scope);
}

async function letIn(join: Join, joined: GrantedAccess, scope: CookieScope): Promise<Response> {
  const { name, client, env } = join;
  const { id, expires, key, to } = joined;
  const mac = await accessCookieMac(key, name, { id, expires });
  const cookie = accessCookieHeader(name, { id, expires, mac }, scope, client.scheme, Date.now());
  const [next, ...left] = joined.left;
  if (next === undefined) return seeOther(to!, cookie);
  const ticket = newSecret();
  await sessionObject(name, env).giveTicket(await sha256Hex(ticket), { ...joined, left });
  return seeOther(`${originOf(next, client)}${JOIN_PATH}?ticket=${ticket}`, cookie);
}

const REFUSALS: Readonly<Record<JoinRefusal, string>> = {
  wrong: "This invite is not valid for the session. It may have been revoked. Ask for another one.",
  expired: "This invite has expired. Ask for another one.",
  "used-up": "This invite has no uses left. Ask for another one.",
};

function originOf(host: string, { scheme, port }: ClientAddress): string {
  return `${scheme}://${host}${port === (scheme === "https" ? 443 : 80) ? "" : `:${port}`}`;
}

function seeOther(location: string, cookie?: string): Response {
  const headers = { ...HEADERS, location, ...(cookie === undefined ? {} : { "set-cookie": cookie }) };
  return new Response(null, { status: 303, headers });
}

const SCRIPT = `
const token = location.hash.slice(1);
history.replaceState(null, "", location.pathname);
const [form] = document.forms;
if (token) {
  form.elements.token.value = token;
  form.submit();
} else document.querySelector("p").textContent = "This link is incomplete. Copy all of it, including the part after the #.";
`;
const STYLE = `
:root { color-scheme: light dark; }
body { font: 16px/1.6 system-ui, sans-serif; max-width: 46rem; margin: 12vh auto; padding: 0 1.5rem; }
h1 { font-size: 1.5rem; line-height: 1.3; overflow-wrap: anywhere; }
`;

function joinPage(join: Join): Response {
  const body = html`<p role="status">Opening the session…</p>
<noscript><p>An invite needs JavaScript in this browser.</p></noscript>
<form method="post" action="${JOIN_PATH}"><input type="hidden" name="token"></form>`;
  return page(join, 200, body, SCRIPT);
}

function tooMany(join: Join, retryAfter: number): Response {
  const response = message(join, 429, `Too many wrong invites. Try again in ${retryAfter} s.`);
  response.headers.set("retry-after", String(retryAfter));
  return response;
}

function message(join: Join, status: number, text: string): Response {
  return page(join, status, html`<p role="alert">${text}</p>`);
}

function page({ name, routing, client }: Join, status: number, body: Html, script?: string): Response {
  const nonce = newSecret();
  // Browsers apply it to the redirects as well.
  const targets = routing.domains.map(({ domain }) => originOf(`${name}.${hostname(domain)}`, client));
  const title = `Session ${name}`;
  const text = html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Linkup</title>
<style nonce="${nonce}">${new Html(STYLE)}</style>
<main>
<h1>${title}</h1>
${body}
</main>
${script === undefined ? null : html`<script nonce="${nonce}">${new Html(script)}</script>`}
</html>
`;
  return new Response(text.text, {
    status,
    headers: {
      ...HEADERS,
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": `default-src 'none'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'; form-action 'self' ${targets.join(" ")}; base-uri 'none'; frame-ancestors 'none'`,
      ...(status === 401 ? { "www-authenticate": "Linkup" } : {}),
    },
  });
}
