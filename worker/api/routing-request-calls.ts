/** Changes of the routing that invited people ask for, below `/linkup/v2/sessions/:name/routing`. */
import * as z from "zod/mini";
import { ACCESS_HEADER } from "../../core/api/access-api.ts";
import {
  MAX_ROUTED_SERVICES,
  MAX_ROUTING_ERROR,
  type RoutingRequestList,
} from "../../core/api/routing-requests-api.ts";
import { lazy } from "../../core/lazy.ts";
import { isSessionName } from "../../core/session/session-name.ts";
import type { Env } from "../env.ts";
import { directory } from "../objects/directory-object.ts";
import { sessionObject } from "../objects/session-object.ts";
import { FRESH_MS } from "../proxy/session-lookup.ts";
import { canExistNow } from "../proxy/session-names.ts";
import { RateLimit } from "../rate-limit.ts";
import { sha256Hex } from "../secret.ts";
import type { AuthenticatedCall } from "./authenticated-call.ts";
import { callerAddress } from "./caller.ts";
import { readJson } from "./json-body.ts";
import { jsonResponse, noContent, noSession, notOwner, sessionToken, textResponse } from "./responses.ts";

/** The longest text that can be an invite's token. */
const MAX_TOKEN = 256;
/** Refused calls per address and minute, whatever session they name: for some of them the directory is asked. */
const REFUSED_PER_MINUTE = 60;

const refusals = new RateLimit(REFUSED_PER_MINUTE);

const changeSchema = lazy(() =>
  z.object({
    services: z
      .record(z.string().check(z.maxLength(253)), z.enum(["local", "remote"], 'must be "local" or "remote"'))
      .check(
        z.refine((services) => {
          const { length } = Object.keys(services);
          return length > 0 && length <= MAX_ROUTED_SERVICES;
        }, `must name 1 to ${MAX_ROUTED_SERVICES} services`),
      ),
  }),
);
const answerSchema = lazy(() =>
  z.object({ error: z.nullable(z.string().check(z.maxLength(MAX_ROUTING_ERROR))) }),
);

/** A call with the token of an invite in the place of the Worker's; undefined for any other one. */
export async function callByInvite(
  request: Request,
  env: Env,
  name: string,
  item: string | undefined,
): Promise<Response | undefined> {
  const { method } = request;
  const token = request.headers.get(ACCESS_HEADER);
  if (token === null || token.length > MAX_TOKEN || !isSessionName(name)) {
    const isForInvitesOnly = method === (item === undefined ? "POST" : "GET");
    return isForInvitesOnly ? uninvited() : undefined;
  }
  const call = handlerOf(method, item);
  if (!call) return undefined;
  const address = callerAddress(request, env);
  // On the user's own machine.
  if (address === undefined) return call(request, env, name, token);
  const retryAfter = refusals.take(address);
  if (retryAfter > 0) return tooManyWrong(retryAfter);
  const response = (await mayHaveInvites(name, env)) ? await call(request, env, name, token) : uninvited();
  if (response.status !== 401) refusals.refund(address);
  return response;
}

type InvitedCall = (request: Request, env: Env, name: string, token: string) => Promise<Response>;

function handlerOf(method: string, item: string | undefined): InvitedCall | undefined {
  if (method === "POST" && item === undefined) return askForRouting;
  if (method !== "GET") return undefined;
  return item === undefined ? sharedRouting : (...call) => readAnswer(...call, item);
}

/** An object comes into being by being asked, with files of its own, and strangers choose these names. */
async function mayHaveInvites(name: string, env: Env): Promise<boolean> {
  // A stopped session keeps its invites as long as its tunnel.
  return (await canExistNow(name, env, FRESH_MS)) || (await directory(env).hasTunnelOf(name));
}

async function sharedRouting(request: Request, env: Env, name: string, token: string): Promise<Response> {
  const hash = await sha256Hex(token);
  const shared = await sessionObject(name, env).sharedRouting(hash, callerAddress(request, env) ?? "");
  if (shared === "forbidden") return uninvited();
  if (shared === "missing") return stopped();
  return "retryAfter" in shared ? tooManyWrong(shared.retryAfter) : jsonResponse(shared);
}

async function askForRouting(request: Request, env: Env, name: string, token: string): Promise<Response> {
  const body = await readJson(request);
  if (!body.ok) return textResponse(body.status, body.reason);
  const change = changeSchema().safeParse(body.json);
  if (!change.success)
    return textResponse(
      400,
      change.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("\n"),
    );
  const hash = await sha256Hex(token);
  const asked = await sessionObject(name, env).askForRouting(
    change.data,
    hash,
    callerAddress(request, env) ?? "",
  );
  if (asked === "forbidden") return uninvited();
  if (asked === "missing") return stopped();
  if (asked === "too-many") return textResponse(429, "Too many changes wait for the session's owner.");
  if ("retryAfter" in asked) return tooManyWrong(asked.retryAfter);
  return jsonResponse(asked, 202);
}

async function readAnswer(
  request: Request,
  env: Env,
  name: string,
  token: string,
  id: string,
): Promise<Response> {
  const hash = await sha256Hex(token);
  const answer = await sessionObject(name, env).routingAnswer(id, hash, callerAddress(request, env) ?? "");
  if (answer === "forbidden") return uninvited();
  if (answer === "missing") return textResponse(404, "There is no such change.");
  return "retryAfter" in answer ? tooManyWrong(answer.retryAfter) : jsonResponse(answer);
}

/** Only told to those whose invite is kept for the session's next start. */
function stopped(): Response {
  return textResponse(404, "The session is not running.");
}

/** The same response as for an unknown session, so that names cannot be probed. */
function uninvited(): Response {
  return textResponse(
    401,
    "The invite does not let you route this session: it is invalid, revoked or expired.",
    {
      "www-authenticate": "Linkup",
    },
  );
}

function tooManyWrong(retryAfter: number): Response {
  return textResponse(429, `Too many wrong tokens. Try again in ${retryAfter} s.`, {
    "retry-after": String(retryAfter),
  });
}

export async function listRoutingRequests(
  { request, env, actor }: AuthenticatedCall,
  name: string,
): Promise<Response> {
  if (!isSessionName(name)) return noSession(name);
  const requests = await sessionObject(name, env).routingRequests(actor, sessionToken(request));
  if (typeof requests === "string") return requests === "missing" ? noSession(name) : notOwner(name);
  return jsonResponse({ requests } satisfies RoutingRequestList);
}

export async function answerRoutingRequest(
  { request, env, actor }: AuthenticatedCall,
  name: string,
  id: string,
): Promise<Response> {
  const body = await readJson(request);
  if (!body.ok) return textResponse(body.status, body.reason);
  const answer = answerSchema().safeParse(body.json);
  if (!answer.success) return textResponse(400, "error: must be a text or null");
  if (!isSessionName(name)) return noSession(name);
  const { error } = answer.data;
  const known = await sessionObject(name, env).answerRouting(id, error, actor, sessionToken(request));
  if (typeof known === "string") return known === "missing" ? noSession(name) : notOwner(name);
  return known ? noContent() : textResponse(404, "There is no such change.");
}
