/** Invites to a private session, and the link that lets its owner in. */
import {
  ACCESS_CAPABILITY,
  type Invite,
  type InviteRequest,
  type NewInvite,
} from "../../core/api/access-api.ts";
import { text } from "../../core/text.ts";
import { WorkerClient } from "../components/worker-api/worker-client.ts";
import type { SessionIntent } from "../model/intents.ts";
import { LinkupError, updateWorker } from "../model/problem.ts";
import { assertPublished } from "../model/published.ts";
import { findRunning, isPresent, type Selector } from "../model/records.ts";
import type { State } from "../model/state.ts";
import { resolvesByItself } from "../model/urls.ts";
import type { ControlLoop } from "../reconcile/control-loop.ts";

/** A session whose invites are ours to make: one of this machine, or one on the Worker that a linkup.yaml names. */
interface Shared {
  name: string;
  worker: WorkerClient;
  /** Of a session of this machine, else empty: the token that made the session proves that it is ours. */
  sessionToken: string;
}

/** `intent`: of a session that this machine does not run. Rejects with a LinkupError. */
export async function sharedSession(
  loop: ControlLoop,
  selector: Selector,
  intent: () => Promise<SessionIntent | undefined>,
): Promise<Shared> {
  const state = await loop.store.read();
  const elsewhere = isHere(state, selector) ? undefined : await intent();
  if (elsewhere && "name" in selector) {
    const worker = new WorkerClient(elsewhere.config.linkup.worker_url, elsewhere.workerToken ?? "");
    assertCapable((await worker.capabilities())?.capabilities, worker.url);
    return { name: selector.name, worker, sessionToken: "" };
  }
  const record = findRunning(state, selector);
  assertPublished(record);
  const { name, config, worker_token, session_token } = record;
  const worker = new WorkerClient(config.linkup.worker_url, worker_token ?? "");
  if (name === null)
    throw new LinkupError("share-failed", text("The session has no name yet: it is starting."));
  assertCapable(record.worker?.capabilities, worker.url);
  return { name, worker, sessionToken: record.kind === "preview" ? "" : session_token };
}

function isHere({ sessions }: State, selector: Selector): boolean {
  return (
    !("name" in selector) || sessions.some((record) => isPresent(record) && record.name === selector.name)
  );
}

function assertCapable(capabilities: readonly string[] | undefined, workerUrl: string): void {
  if (capabilities?.includes(ACCESS_CAPABILITY)) return;
  throw new LinkupError(
    "access-unsupported",
    text(
      "The Worker at {0} is too old for private sessions and invites. Update it; until then everyone who knows the session's URL can open it.",
      workerUrl,
    ),
    [updateWorker],
  );
}

/** The secret is in this answer only. Rejects with a LinkupError. */
export async function createInvite(
  { name, worker, sessionToken }: Shared,
  invite: InviteRequest,
): Promise<NewInvite> {
  return (await worker.createInvite(name, invite, sessionToken)) ?? missing(name, worker);
}

/**
 * This machine looks for the changes that holders of the session's invites ask for, while one of them may. `made`: an invite
 * that has just been made; it counts too when the Worker fails to list them. Rejects when the state cannot be written.
 */
export async function recordRouters(
  { store }: Pick<ControlLoop, "store">,
  shared: Shared,
  made?: Invite,
): Promise<void> {
  const { name, worker } = shared;
  const listed = await listInvites(shared).catch(() => undefined);
  if (!listed && !made) return;
  const ends = [...(listed ?? []), ...(made ? [made] : [])]
    .filter(({ rights }) => rights.includes("route"))
    .map(({ expires }) => expires);
  await store.transaction(() =>
    store.change(({ sessions }) => {
      for (const record of sessions) {
        // The same name on another Worker is another session.
        if (record.name !== name || withoutSlash(record.config.linkup.worker_url) !== worker.url) continue;
        const until = Math.max(0, ...ends, ...(listed ? [] : [record.may_route_until ?? 0]));
        if (until > Date.now()) record.may_route_until = until;
        else delete record.may_route_until;
      }
    }),
  );
}

/** As a WorkerClient has its URL. */
function withoutSlash(workerUrl: string): string {
  return workerUrl.replace(/\/+$/, "");
}

/** Newest first. Rejects with a LinkupError. */
export async function listInvites({ name, worker, sessionToken }: Shared): Promise<readonly Invite[]> {
  return (await worker.listInvites(name, sessionToken)) ?? missing(name, worker);
}

/** Rejects with a LinkupError when there is no such invite. */
export async function revokeInvite({ name, worker, sessionToken }: Shared, id: string): Promise<void> {
  if (await worker.revokeInvite(name, id, sessionToken)) return;
  throw new LinkupError("invite-unknown", text('The session {0} has no invite "{1}".', name, id));
}

function missing(name: string, { url }: WorkerClient): never {
  throw new LinkupError(
    "session-unknown",
    text('There is no session "{0}" on the Worker at {1}.', name, url),
  );
}

/**
 * Where the owner's browser opens this URL of a session: for a private one a link that lets it in, once and within a minute.
 * Any other URL stays as it is. Rejects with a LinkupError.
 */
export async function ownerUrl({ store }: ControlLoop, url: string): Promise<string> {
  const { sessions, local_dns } = await store.read();
  const host = new URL(url).hostname.toLowerCase();
  const record = sessions.find(
    ({ name, config, confirmed_access }) =>
      confirmed_access === "private" &&
      config.domains.some(({ domain }) => `${name}.${domain}`.toLowerCase() === host),
  );
  // With local DNS the request never leaves this machine, where nothing asks for a proof.
  if (!record || (local_dns.ready && !resolvesByItself(host))) return url;
  const { name, config, worker_token, session_token, kind } = record;
  const worker = new WorkerClient(config.linkup.worker_url, worker_token ?? "");
  const link = await worker.ownerLink(name!, url, kind === "preview" ? "" : session_token);
  return (link ?? missing(name!, worker)).url;
}
