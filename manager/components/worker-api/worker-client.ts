/** A client of the Worker's HTTP API, ours or the original's. */

import type { ZodMiniType } from "zod/mini";
import type { Invite, InviteRequest, NewInvite, OwnerLink } from "../../../core/api/access-api.ts";
import { MAX_ROUTING_ERROR, type RoutingRequest } from "../../../core/api/routing-requests-api.ts";
import type { SessionTargets } from "../../../core/api/worker-api.ts";
import {
  type PreviewSession,
  SESSION_TOKEN_HEADER,
  type TunneledSession,
  type WorkerCapabilities,
} from "../../../core/api/worker-api.ts";
import { serializeRouting, type UpsertRequest } from "../../../core/session/session-document.ts";
import { text } from "../../../core/text.ts";
import { readText, type TextResponse } from "../../../node/http.ts";
import { networkReason } from "../../model/network-reason.ts";
import { LinkupError } from "../../model/problem.ts";
import { isOriginalConflict } from "./original-worker.ts";
import {
  capabilitiesResponse,
  deletedResponse,
  detailsResponse,
  invitesResponse,
  listResponse,
  namedResponse,
  newInviteResponse,
  ownerLinkResponse,
  routingRequestsResponse,
  summaryResponse,
  targetsResponse,
  tunnelCheckResponse,
  tunneledResponse,
  validatedResponse,
} from "./worker-responses.ts";

/** The longest response is a list of deleted sessions. */
const MAX_RESPONSE_BYTES = 1024 * 1024;
const TIMEOUT_MS = 15_000;

export class WorkerClient {
  readonly url: string;
  readonly #token: string;
  readonly #timeoutMs: number;
  readonly #signal: AbortSignal | undefined;

  /** `signal`: aborts its calls, which then reject with the signal's reason. */
  constructor(url: string, token: string, timeoutMs = TIMEOUT_MS, signal?: AbortSignal) {
    this.#timeoutMs = timeoutMs;
    this.#signal = signal;
    this.url = url.replace(/\/+$/, "");
    this.#token = token;
  }

  /** Undefined for an original Worker, which proxies the call. */
  async capabilities(): Promise<WorkerCapabilities | undefined> {
    const path = "/linkup/v2/capabilities";
    const answer = await this.#ask("GET", path);
    if (answer.status === 401) throw this.#refused();
    // A temporary error says nothing about capabilities.
    if (answer.status === 429 || answer.status >= 500) throw this.#failed("GET", path, answer);
    if (answer.status !== 200) return undefined;
    const read = validatedResponse(capabilitiesResponse, answer.text);
    return read.ok ? read.value : undefined;
  }

  /**
   * Undefined when the name belongs to another session. `refusedTunnel`: the id of the session's tunnel, when Cloudflare
   * refuses it; Workers of earlier versions look for it in their own time.
   */
  async putTunneled(
    request: UpsertRequest,
    refusedTunnel?: string | null,
  ): Promise<TunneledSession | undefined> {
    const told = refusedTunnel ? { ...request, tunnel_refused: refusedTunnel } : request;
    return this.#upsert("/linkup/v2/sessions/tunneled", told, tunneledResponse);
  }

  /** Undefined when the name belongs to another session. */
  async putPreview(request: UpsertRequest): Promise<PreviewSession | undefined> {
    return this.#upsert("/linkup/v2/sessions/preview", request, namedResponse);
  }

  /** For Workers with the capability `inspect-session`. */
  async hasSession(name: string): Promise<boolean> {
    return (await this.#askFor([200, 404], "GET", sessionPath(name))).status === 200;
  }

  /** For Workers with the capability `session-targets`; undefined when they do not know the session. */
  async sessionTargets(name: string): Promise<SessionTargets | undefined> {
    const path = `${sessionPath(name)}/targets`;
    const answer = await this.#askFor([200, 404], "GET", path);
    return answer.status === 404 ? undefined : this.#read(targetsResponse, "GET", path, answer);
  }

  /** For Workers with the capability `tunnel-check`. Why the Worker could make no tunnel now; null when it could. */
  async tunnelProblem(): Promise<string | null> {
    const path = "/linkup/v2/tunnel-check";
    const answer = await this.#askFor([200], "GET", path);
    return this.#read(tunnelCheckResponse, "GET", path, answer).problem;
  }

  /** For Workers with the capability `list-sessions`; `limit` and `after` take `session-pages`. */
  async listSessions({ pattern, limit, after }: { pattern?: string; limit?: number; after?: string }) {
    const query = new URLSearchParams();
    if (pattern !== undefined) query.set("name", pattern);
    if (limit !== undefined) query.set("limit", String(limit));
    if (after !== undefined) query.set("after", after);
    const path = `/linkup/v2/sessions?${query}`;
    return this.#read(listResponse, "GET", path, await this.#askFor([200], "GET", path));
  }

  /** For Workers with the capability `inspect-session`. Undefined when no session has this name. */
  async session(name: string) {
    const path = sessionPath(name);
    const answer = await this.#askFor([200, 404], "GET", path);
    return answer.status === 404 ? undefined : this.#read(detailsResponse, "GET", path, answer);
  }

  /** For Workers with the capability `extend-session`. Undefined when no session has this name. */
  async extendSession(name: string, seconds: number | null) {
    const path = sessionPath(name);
    const answer = await this.#askFor([200, 404], "PATCH", path, { expires_in: seconds });
    return answer.status === 404 ? undefined : this.#read(summaryResponse, "PATCH", path, answer);
  }

  /** Deletes sessions by name pattern (`*` matches any characters); for Workers with the capability `delete-by-pattern`. */
  async deleteSessions(pattern: string): Promise<string[]> {
    const path = `/linkup/v2/sessions?name=${encodeURIComponent(pattern)}`;
    const answer = await this.#ask("DELETE", path);
    if (answer.status === 401) throw this.#refused();
    const read = validatedResponse(deletedResponse, answer.text);
    if (answer.status !== 200 || !read.ok) throw this.#failed("DELETE", path, answer);
    return read.value.deleted;
  }

  /**
   * For Workers with the capability `delete-session`. False when there was no such session.
   * `keepTunnel`: for the session's next start; Workers of earlier versions delete it. `sessionToken`: proves that the
   * session is ours, also with another token than the one that made it.
   */
  async deleteSession(
    name: string,
    {
      keepTunnel = false,
      sessionToken = "",
    }: { keepTunnel?: boolean; sessionToken?: string | undefined } = {},
  ): Promise<boolean> {
    const path = `${sessionPath(name)}${keepTunnel ? "?keep_tunnel=true" : ""}`;
    return (await this.#askFor([204, 404], "DELETE", path, undefined, proof(sessionToken))).status === 204;
  }

  // Those that follow are for Workers with the capability `access`.

  /** Undefined when no session has this name. The secret is in this answer only. */
  async createInvite(
    name: string,
    invite: InviteRequest,
    sessionToken: string,
  ): Promise<NewInvite | undefined> {
    const path = `${sessionPath(name)}/invites`;
    const answer = await this.#askFor([200, 404], "POST", path, invite, proof(sessionToken));
    return answer.status === 404 ? undefined : this.#read(newInviteResponse, "POST", path, answer);
  }

  /** Newest first; undefined when no session has this name. */
  async listInvites(name: string, sessionToken: string): Promise<readonly Invite[] | undefined> {
    const path = `${sessionPath(name)}/invites`;
    const answer = await this.#askFor([200, 404], "GET", path, undefined, proof(sessionToken));
    return answer.status === 404 ? undefined : this.#read(invitesResponse, "GET", path, answer).invites;
  }

  /** False when there was no such invite. */
  async revokeInvite(name: string, id: string, sessionToken: string): Promise<boolean> {
    const path = `${sessionPath(name)}/invites/${encodeURIComponent(id)}`;
    return (await this.#askFor([204, 404], "DELETE", path, undefined, proof(sessionToken))).status === 204;
  }

  /** `to`: the session's URL that the browser ends at. Undefined when no session has this name. */
  async ownerLink(name: string, to: string, sessionToken: string): Promise<OwnerLink | undefined> {
    const path = `${sessionPath(name)}/owner-link`;
    const answer = await this.#askFor([200, 404], "POST", path, { to }, proof(sessionToken));
    return answer.status === 404 ? undefined : this.#read(ownerLinkResponse, "POST", path, answer);
  }

  // Those that follow are for Workers with the capability `routing-requests`.

  /** Empty when no session has this name. */
  async routingRequests(name: string, sessionToken: string): Promise<readonly RoutingRequest[]> {
    const path = `${sessionPath(name)}/routing`;
    const answer = await this.#askFor([200, 404], "GET", path, undefined, proof(sessionToken));
    return answer.status === 404 ? [] : this.#read(routingRequestsResponse, "GET", path, answer).requests;
  }

  /** `error`: why the change failed; null when it was made. */
  async answerRouting(name: string, id: string, error: string | null, sessionToken: string): Promise<void> {
    const path = `${sessionPath(name)}/routing/${encodeURIComponent(id)}`;
    await this.#askFor(
      [204, 404],
      "PUT",
      path,
      { error: error?.slice(0, MAX_ROUTING_ERROR) ?? null },
      proof(sessionToken),
    );
  }

  async #upsert<T>(path: string, request: UpsertRequest, schema: ZodMiniType<T>): Promise<T | undefined> {
    const answer = await this.#ask("POST", path, { ...request, ...serializeRouting(request) });
    if (answer.status === 409 || isOriginalConflict(answer.status, answer.text)) return undefined;
    if (answer.status === 401) throw this.#refused();
    if (answer.status !== 200) throw this.#failed("POST", path, answer);
    return this.#read(schema, "POST", path, answer);
  }

  /** Asks, and rejects with a LinkupError unless the answer has one of these statuses. */
  async #askFor(
    statuses: readonly number[],
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<TextResponse> {
    const answer = await this.#ask(method, path, body, headers);
    if (answer.status === 401) throw this.#refused();
    if (!statuses.includes(answer.status)) throw this.#failed(method, path, answer);
    return answer;
  }

  /** Validates the body of a 200. Its content is never quoted in errors, because it may hold a secret. */
  #read<T>(schema: ZodMiniType<T>, method: string, path: string, answer: TextResponse): T {
    const read = validatedResponse(schema, answer.text);
    if (read.ok) return read.value;
    throw new LinkupError(
      "worker-failed",
      text(
        "{0} is not a Linkup Worker: its response to {1} {2} has no valid {3}. Check linkup.worker_url.",
        this.url,
        method,
        path,
        read.wrong,
      ),
    );
  }

  #failed(method: string, path: string, answer: TextResponse): LinkupError {
    const said = answer.text.trim().slice(0, 500) || "(nothing)";
    return new LinkupError(
      "worker-failed",
      text("The Worker at {0} answered {1} to {2} {3}: {4}", this.url, answer.status, method, path, said),
    );
  }

  #refused(why = text("It must be the one that the Worker was deployed with (WORKER_TOKEN).")): LinkupError {
    return new LinkupError(
      "token-refused",
      text("The Worker at {0} does not accept the token. {1}", this.url, why),
      [{ command: "setWorkerToken", title: "Set Worker Token…", terminal: "export LINKUP_WORKER_TOKEN=…" }],
    );
  }

  async #ask(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<TextResponse> {
    if (/[^!-~]/.test(this.#token))
      throw this.#refused(text("It contains spaces, line breaks or characters outside ASCII."));
    try {
      return await readText(
        this.url + path,
        {
          method,
          headers: { ...headers, authorization: `Bearer ${this.#token}` },
          body,
          timeoutMs: this.#timeoutMs,
          signal: this.#signal,
        },
        MAX_RESPONSE_BYTES,
      );
    } catch (error) {
      this.#signal?.throwIfAborted();
      throw this.#unreachable(error as Error);
    }
  }

  #unreachable(cause: Error): LinkupError {
    return new LinkupError(
      "worker-unreachable",
      text(
        "The Worker at {0} cannot be reached: {1}. Check linkup.worker_url and your connection.",
        this.url,
        networkReason(cause),
      ),
      [{ command: "restart", title: "Try Again", terminal: "linkup start" }],
      { cause },
    );
  }
}

/** That the session is ours. */
function proof(sessionToken: string): Record<string, string> {
  return /^[!-~]+$/.test(sessionToken) ? { [SESSION_TOKEN_HEADER]: sessionToken } : {};
}

function sessionPath(name: string): string {
  return `/linkup/v2/sessions/${encodeURIComponent(name)}`;
}
