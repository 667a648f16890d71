/** Asks for a change of the routing of somebody else's session, by an invite. */
import { setTimeout as delay } from "node:timers/promises";
import { ACCESS_HEADER } from "../../core/api/access-api.ts";
import { ROUTING_REQUEST_MS, type RoutingChange } from "../../core/api/routing-requests-api.ts";
import { text } from "../../core/text.ts";
import { readText, type TextResponse } from "../../node/http.ts";
import {
  readAnswer,
  routingAnswerAnswer,
  routingAskedAnswer,
} from "../components/worker-api/worker-answers.ts";
import { networkReason } from "../model/network-reason.ts";
import { LinkupError } from "../model/problem.ts";

export interface RouteElsewhere extends RoutingChange {
  session: string;
  /** The token of an invite that may route. */
  invite: string;
}

const POLL_MS = 500;
const TIMEOUT_MS = 15_000;
const MAX_RESPONSE_BYTES = 64 * 1024;

/** Resolves when the owner's machine has done it; rejects with a LinkupError otherwise, or with the signal's reason. */
export async function routeElsewhere(
  workerUrl: string,
  { session, invite, services }: RouteElsewhere,
  signal: AbortSignal | undefined,
): Promise<void> {
  const url = `${workerUrl.replace(/\/+$/, "")}/linkup/v2/sessions/${encodeURIComponent(session)}/routing`;
  const ask = async (method: string, path: string, body?: unknown): Promise<TextResponse> => {
    const headers = { [ACCESS_HEADER]: invite };
    try {
      const options = { method, headers, body, timeoutMs: TIMEOUT_MS, signal };
      return await readText(url + path, options, MAX_RESPONSE_BYTES);
    } catch (error) {
      signal?.throwIfAborted();
      const why = networkReason(error as Error);
      const message = text(
        "The Worker at {0} cannot be reached: {1}. Check linkup.worker_url and your connection.",
        workerUrl,
        why,
      );
      throw new LinkupError("worker-unreachable", message);
    }
  };
  const asked = await ask("POST", "", { services });
  if (asked.status === 401)
    throw new LinkupError(
      "invite-unknown",
      text("The invite does not let you route the session {0}: it is wrong, revoked or over.", session),
    );
  const started = readAnswer(routingAskedAnswer, asked.text);
  if (asked.status !== 202 || !started.ok) throw answered(workerUrl, asked);
  const until = performance.now() + ROUTING_REQUEST_MS;
  while (performance.now() < until) {
    await delay(POLL_MS, undefined, { signal });
    const told = await ask("GET", `/${started.value.id}`);
    if (told.status === 404) break;
    const answer = readAnswer(routingAnswerAnswer, told.text);
    if (told.status !== 200 || !answer.ok) throw answered(workerUrl, told);
    const { state, error = "" } = answer.value;
    if (state === "done") return;
    if (state === "failed")
      throw new LinkupError("toggle-failed", text("The owner's machine could not do it: {0}", error));
  }
  throw new LinkupError(
    "toggle-failed",
    text("The owner's machine has not answered. The session {0} runs there only while it is awake.", session),
  );
}

function answered(workerUrl: string, { status, text: said }: TextResponse): LinkupError {
  const message = text(
    "The Worker at {0} answered {1} to {2} {3}: {4}",
    workerUrl,
    status,
    "POST",
    "…/routing",
    said.slice(0, 500),
  );
  return new LinkupError("worker-failed", message);
}
