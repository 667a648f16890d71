/** Schemas of the Worker's responses. Parts of them become file and host names, so every response is validated. */

import * as z from "zod/mini";
import {
  INVITE_RIGHTS,
  type Invite,
  MAX_INVITE_NAME,
  type NewInvite,
  type OwnerLink,
} from "../../../core/api/access-api.ts";
import type { RoutingRequestList, SharedRouting } from "../../../core/api/routing-requests-api.ts";
import type {
  PreviewSession,
  SessionTargets,
  TunneledSession,
  WorkerCapabilities,
} from "../../../core/api/worker-api.ts";
import { FALLBACKS } from "../../../core/routing/fallback.ts";
import { SESSION_ACCESS } from "../../../core/session/session-document.ts";
import { isSessionName } from "../../../core/session/session-name.ts";

const sessionName = z.string().check(z.refine(isSessionName, "is not a session name"));

/** Response for a preview. */
export const namedResponse: z.ZodMiniType<PreviewSession> = z.object({
  session_name: sessionName,
  access: z.exactOptional(z.enum(SESSION_ACCESS)),
});

/** Response for a tunneled session; an original Worker sends no `origin_secret`. */
export const tunneledResponse: z.ZodMiniType<TunneledSession> = z.object({
  session_name: sessionName,
  tunnel_data: z.object({
    account_id: z.string(),
    name: z.string(),
    url: z.string().check(z.refine((url) => URL.canParse(url), "is not a URL")),
    id: z.string(),
    secret: z.string(),
    last_started: z.number(),
  }),
  origin_secret: z.exactOptional(z.string()),
  access: z.exactOptional(z.enum(SESSION_ACCESS)),
  trace_key: z.exactOptional(z.string()),
});

const time = z.number();
const inviteAnswer = z.object({
  id: z.string().check(z.regex(/^[\w-]{1,100}$/)),
  name: z.nullable(z.string()),
  kind: z.enum(["link", "token"]),
  rights: z.array(z.enum(INVITE_RIGHTS)),
  created: time,
  expires: time,
  uses: z.nullable(z.number()),
  used: z.number(),
  last_used: z.nullable(time),
}) satisfies z.ZodMiniType<Invite>;

/** Response to the list of invites. */
export const invitesResponse = z.object({ invites: z.array(inviteAnswer) });

const httpUrl = z
  .string()
  .check(z.refine((url) => /^https?:/.test(url) && URL.canParse(url), "is not a URL"));

/** Response for a new invite. */
export const newInviteResponse: z.ZodMiniType<NewInvite> = z.extend(inviteAnswer, {
  url: z.exactOptional(httpUrl),
  token: z.exactOptional(z.string()),
});

export const ownerLinkResponse: z.ZodMiniType<OwnerLink> = z.object({ url: httpUrl, expires: time });

/** Response to the list of routing changes that invited people ask for. */
export const routingRequestsResponse: z.ZodMiniType<RoutingRequestList> = z.object({
  requests: z.array(
    z.object({
      id: z.string().check(z.regex(/^[\w-]{1,100}$/)),
      services: z.record(z.string(), z.enum(["local", "remote"])),
      by: z.string().check(z.maxLength(MAX_INVITE_NAME)),
      at: z.number(),
    }),
  ),
});

/** Response to one who asked for such a change. */
export const routingRequestedResponse = z.object({ id: z.string().check(z.regex(/^[\w-]{1,100}$/)) });
/** Response to somebody who may route. */
export const sharedRoutingResponse: z.ZodMiniType<SharedRouting> = z.object({
  invite: z.object({ name: z.nullable(z.string()), expires: z.number() }),
  services: z.record(z.string(), z.object({ target: z.string(), by: z.exactOptional(z.string()) })),
});

export const routingOutcomeResponse = z.object({
  state: z.enum(["waiting", "done", "failed"]),
  error: z.exactOptional(z.string()),
});

/** Response to a deletion by pattern. */
export const deletedResponse = z.object({ deleted: z.array(z.string()) });

export const capabilitiesResponse: z.ZodMiniType<WorkerCapabilities> = z.object({
  version: z.string(),
  tunnel: z.enum(["cloudflare", "direct"]),
  capabilities: z.array(z.string()),
});

/** A session in the list; a Worker before `session-pages` sends neither who made it nor when it was used. */
export const summaryResponse = z.object({
  session_name: sessionName,
  session_kind: z.enum(["tunneled", "isolated", "preview"]),
  maker: z.exactOptional(z.nullable(z.string())),
  created: z.number(),
  updated: z.number(),
  used: z.exactOptional(z.number()),
  expires: z.number(),
});

/** Response to the list of sessions. */
export const listResponse = z.object({
  sessions: z.array(summaryResponse),
  next: z.exactOptional(z.string()),
});

/** Response for one session: what is shown of it. */
export const detailsResponse = z.extend(summaryResponse, {
  services: z.array(z.object({ name: z.string(), location: z.string() })),
  domains: z.array(z.object({ domain: z.string() })),
});

/** Response about a session's services that others serve. */
export const targetsResponse: z.ZodMiniType<SessionTargets> = z.object({
  targets: z.record(z.string(), z.object({ session: z.string(), fallback: z.nullable(z.enum(FALLBACKS)) })),
});

/** Response to the check of tunnels. */
export const tunnelCheckResponse = z.object({ problem: z.nullable(z.string()) });

/** The validated response, or the path of its first missing or invalid member. */
export function validatedResponse<T>(
  schema: z.ZodMiniType<T>,
  text: string,
): { ok: true; value: T } | { ok: false; wrong: string } {
  const read = schema.safeParse(parseJson(text));
  if (read.success) return { ok: true, value: read.data };
  return { ok: false, wrong: read.error.issues[0]!.path.join(".") || "JSON object" };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
