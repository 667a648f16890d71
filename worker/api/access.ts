/** Who may enter a session: its access, invites and the owner's link, below `/linkup/v2/sessions/:name`. */
import * as z from "zod/mini";
import {
  type AccessSettings,
  INVITE_RIGHTS,
  type InviteList,
  type InviteRequest,
  MAX_INVITE_NAME,
  MAX_INVITES,
  type NewInvite,
  type OwnerLink,
} from "../../core/api/access-api.ts";
import { MAX_EXPIRY_S } from "../../core/api/worker-api.ts";
import { lazy } from "../../core/lazy.ts";
import { parseAccess } from "../../core/session/parse-session.ts";
import { isSessionName } from "../../core/session/session-name.ts";
import { isDirect } from "../env.ts";
import { sessionObject } from "../objects/session-object.ts";
import { invalidateLookup } from "../proxy/session-lookup.ts";
import { newSecret, sha256Hex } from "../secret.ts";
import type { AuthenticatedCall } from "./authenticated-call.ts";
import { readJson } from "./json-body.ts";
import { jsonResponse, noContent, noSession, notOwner, sessionToken, textResponse } from "./responses.ts";

/** Where browsers bring the token of an invite. */
export const JOIN_PATH = "/linkup/join";

const CONTROL = /^\P{Cc}*$/u;

const inviteSchema = lazy(() =>
  z.object({
    name: z.optional(
      z
        .string("must be a text")
        .check(
          z.minLength(1, "must not be empty"),
          z.maxLength(MAX_INVITE_NAME, `must have at most ${MAX_INVITE_NAME} characters`),
          z.regex(CONTROL, "must not contain line breaks or other control characters"),
        ),
    ),
    expires_in: z.optional(
      z
        .int("must be a whole number of seconds")
        .check(
          z.minimum(1, "must be at least 1 second"),
          z.maximum(MAX_EXPIRY_S, `must be at most ${MAX_EXPIRY_S} seconds`),
        ),
    ),
    uses: z.optional(
      z.nullable(
        z
          .int("must be a whole number or null")
          .check(z.minimum(1, "must be at least 1"), z.maximum(1_000_000)),
      ),
    ),
    kind: z.optional(z.enum(["link", "token"], 'must be "link" or "token"')),
    rights: z.optional(
      z
        .array(z.enum(INVITE_RIGHTS, `must be among ${INVITE_RIGHTS.join(", ")}`))
        .check(z.minLength(1, "must not be empty"), z.maxLength(INVITE_RIGHTS.length)),
    ),
  }),
);

const ownerLinkSchema = lazy(() => z.object({ to: z.optional(z.nullable(z.string("must be a URL"))) }));

type Body<T> = { ok: true; value: T } | { ok: false; response: Response };

async function bodyOf<T>(request: Request, schema: z.ZodMiniType<T>): Promise<Body<T>> {
  const body = await readJson(request, {});
  if (!body.ok) return { ok: false, response: textResponse(body.status, body.reason) };
  const parsed = schema.safeParse(body.json);
  if (parsed.success) return { ok: true, value: parsed.data };
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "body"}: ${message}`);
  return { ok: false, response: textResponse(400, problems.join("\n")) };
}

function refused(outcome: "missing" | "forbidden", name: string): Response {
  return outcome === "missing" ? noSession(name) : notOwner(name);
}

export async function readAccess(
  { request, env, actor }: AuthenticatedCall,
  name: string,
): Promise<Response> {
  if (!isSessionName(name)) return noSession(name);
  const details = await sessionObject(name, env).accessDetails(actor, sessionToken(request));
  return typeof details === "string" ? refused(details, name) : jsonResponse(details);
}

export async function changeAccess(
  { request, env, actor }: AuthenticatedCall,
  name: string,
): Promise<Response> {
  const body = await readJson(request);
  if (!body.ok) return textResponse(body.status, body.reason);
  const settings = parseAccess(body.json);
  if (!settings.ok) return textResponse(400, settings.errors.join("\n"));
  if (!isSessionName(name)) return noSession(name);
  const { access, open } = settings.value;
  const change = { access, open: open ?? undefined };
  const details = await sessionObject(name, env).setAccess(change, actor, sessionToken(request));
  invalidateLookup(name);
  if (typeof details === "string") return refused(details, name);
  return jsonResponse({ access: details.access, open: details.open } satisfies AccessSettings);
}

export async function createInvite(call: AuthenticatedCall, name: string): Promise<Response> {
  const { request, env, actor } = call;
  const body = await bodyOf(request, inviteSchema() as unknown as z.ZodMiniType<InviteRequest>);
  if (!body.ok) return body.response;
  if (!isSessionName(name)) return noSession(name);
  const token = newSecret();
  const made = await sessionObject(name, env).invite(
    body.value,
    await sha256Hex(token),
    actor,
    sessionToken(request),
  );
  invalidateLookup(name);
  if (made === "too-many")
    return textResponse(409, `The session "${name}" has ${MAX_INVITES} invites. Revoke some of them.`);
  if (typeof made === "string") return refused(made, name);
  const secret = made.invite.kind === "link" ? { url: joinUrl(call, made.host, token) } : { token };
  return jsonResponse({ ...made.invite, ...secret } satisfies NewInvite);
}

export async function listInvites(
  { request, env, actor }: AuthenticatedCall,
  name: string,
): Promise<Response> {
  if (!isSessionName(name)) return noSession(name);
  const invites = await sessionObject(name, env).invites(actor, sessionToken(request));
  return typeof invites === "string"
    ? refused(invites, name)
    : jsonResponse({ invites } satisfies InviteList);
}

export async function revokeInvite(
  { request, env, actor }: AuthenticatedCall,
  name: string,
  id: string,
): Promise<Response> {
  if (!isSessionName(name)) return noSession(name);
  const outcome = await sessionObject(name, env).revokeInvite(id, actor, sessionToken(request));
  invalidateLookup(name);
  if (outcome === "revoked") return noContent();
  if (outcome === "no-invite")
    return textResponse(404, `The session "${name}" has no invite ${JSON.stringify(id)}.`);
  return refused(outcome, name);
}

export async function createOwnerLink(call: AuthenticatedCall, name: string): Promise<Response> {
  const { request, env, actor } = call;
  const body = await bodyOf(request, ownerLinkSchema());
  if (!body.ok) return body.response;
  if (!isSessionName(name)) return noSession(name);
  const token = newSecret();
  const made = await sessionObject(name, env).ownerLink(
    await sha256Hex(token),
    body.value.to ?? null,
    actor,
    sessionToken(request),
  );
  if (typeof made === "string") return refused(made, name);
  return jsonResponse({
    url: joinUrl(call, made.host, token),
    expires: made.expires,
  } satisfies OwnerLink);
}

/** The token is in the fragment, which browsers send to nobody. */
function joinUrl({ url, env }: AuthenticatedCall, host: string, token: string): string {
  const { protocol, port } = url;
  const ownPort = host.includes(":") || !port ? "" : `:${port}`;
  const origin = isDirect(env) ? `${protocol}//${host}${ownPort}` : `https://${host}`;
  return `${origin}${JOIN_PATH}#${token}`;
}
