/** Somebody else's session: what its services' routing is, and changes of it that an invite allows. */
import { setTimeout as delay } from "node:timers/promises";
import { ACCESS_HEADER } from "../../core/api/access-api.ts";
import {
  ROUTING_REQUEST_MS,
  type RoutingChange,
  type SharedRouting,
} from "../../core/api/routing-requests-api.ts";
import { text } from "../../core/text.ts";
import { readText, type TextResponse } from "../../node/http.ts";
import {
  routingOutcomeResponse,
  routingRequestedResponse,
  sharedRoutingResponse,
  validatedResponse,
} from "../components/worker-api/worker-responses.ts";
import { networkReason } from "../model/network-reason.ts";
import { LinkupError } from "../model/problem.ts";

/** A session that somebody else's machine runs, and the invite by which we may route it. */
export interface InvitedSession {
  workerUrl: string;
  session: string;
  /** The token of the invite. */
  invite: string;
}

const POLL_MS = 500;
const TIMEOUT_MS = 15_000;
const MAX_RESPONSE_BYTES = 1024 * 1024;

/** Rejects with a LinkupError (`invite-unknown`, or `session-unknown` while the session is stopped), or with the signal's reason. */
export async function sharedRouting(
  invited: InvitedSession,
  signal: AbortSignal | undefined,
): Promise<SharedRouting> {
  const answer = await ask(invited, "GET", "", undefined, signal);
  const read = validatedResponse(sharedRoutingResponse, answer.text);
  if (answer.status !== 200 || !read.ok) throw failed(invited, "GET", answer);
  return read.value;
}

/** Resolves when the owner's machine has done it; rejects with a LinkupError otherwise, or with the signal's reason. */
export async function routeElsewhere(
  invited: InvitedSession,
  { services }: RoutingChange,
  signal: AbortSignal | undefined,
): Promise<void> {
  const asked = await ask(invited, "POST", "", { services }, signal);
  const started = validatedResponse(routingRequestedResponse, asked.text);
  if (asked.status !== 202 || !started.ok) throw failed(invited, "POST", asked);
  const until = performance.now() + ROUTING_REQUEST_MS;
  while (performance.now() < until) {
    await delay(POLL_MS, undefined, { signal });
    const told = await ask(invited, "GET", `/${started.value.id}`, undefined, signal);
    // Forgotten, by now.
    if (told.status === 404) break;
    const answer = validatedResponse(routingOutcomeResponse, told.text);
    if (told.status !== 200 || !answer.ok) throw failed(invited, "GET", told);
    const { state, error = "" } = answer.value;
    if (state === "done") return;
    if (state === "failed")
      throw new LinkupError("toggle-failed", text("The owner's machine could not do it: {0}", error));
  }
  throw new LinkupError(
    "toggle-failed",
    text(
      "The owner's machine did not answer. The session {0} can be routed only while that machine is awake.",
      invited.session,
    ),
  );
}

async function ask(
  { workerUrl, session, invite }: InvitedSession,
  method: string,
  path: string,
  body: unknown,
  signal: AbortSignal | undefined,
): Promise<TextResponse> {
  const url = `${workerUrl.replace(/\/+$/, "")}/linkup/v2/sessions/${encodeURIComponent(session)}/routing`;
  try {
    const options = {
      method,
      headers: { [ACCESS_HEADER]: invite },
      body,
      timeoutMs: TIMEOUT_MS,
      signal,
    };
    return await readText(url + path, options, MAX_RESPONSE_BYTES);
  } catch (error) {
    signal?.throwIfAborted();
    const why = networkReason(error as Error);
    throw new LinkupError(
      "worker-unreachable",
      text(
        "The Worker at {0} cannot be reached: {1}. Check linkup.worker_url and your connection.",
        workerUrl,
        why,
      ),
    );
  }
}

function failed(
  { workerUrl, session }: InvitedSession,
  method: string,
  { status, text: said }: TextResponse,
): LinkupError {
  if (status === 401)
    return new LinkupError(
      "invite-unknown",
      text("The invite does not let you route the session {0}: it is invalid, revoked or expired.", session),
    );
  if (status === 404)
    return new LinkupError(
      "session-unknown",
      text("The session {0} is not running. Its owner has to start it.", session),
    );
  return new LinkupError(
    "worker-failed",
    text(
      "The Worker at {0} answered {1} to {2} {3}: {4}",
      workerUrl,
      status,
      method,
      "…/routing",
      said.slice(0, 500),
    ),
  );
}
