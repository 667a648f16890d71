/** Sends a request of the log again: to its session, to one copy of its service, or to any URL. */
import type { ReplayRequest, ReplayResponse } from "../../core/api/request-log-api.ts";
import { text } from "../../core/text.ts";
import type { RequestLogClient } from "../components/local-server/control-client.ts";
import { LinkupError } from "../model/problem.ts";
import type { SessionRecord } from "../model/state.ts";

export interface ReplayOptions {
  /** `session`: where the session routes it now. A URL: of another copy of the service. Default `session`. */
  to?: string;
  edited?: ReplayRequest["edited"];
  /** Secrets are sent as they were although it goes elsewhere than before: the user has agreed. */
  secrets?: boolean;
}

export async function replayRequest(
  log: RequestLogClient,
  sessions: readonly SessionRecord[],
  id: number,
  { to = "session", edited, secrets = false }: ReplayOptions,
): Promise<ReplayResponse> {
  const location = to === "session" ? null : await locationOf(log, sessions, id, to);
  return log.replay(id, { location, secrets, ...(edited ? { edited } : {}) });
}

async function locationOf(
  log: RequestLogClient,
  sessions: readonly SessionRecord[],
  id: number,
  to: string,
): Promise<string> {
  if (to === "local" || to === "remote") {
    const { session, service } = await log.request(id);
    const record = sessions.find(({ name }) => name !== null && name === session);
    const copies = record?.config.services.find(({ name }) => name === service);
    if (copies) return copies[to];
    throw new LinkupError(
      "replay-failed",
      text("No service of a running session served request {0}, so it has no copies.", id),
    );
  }
  if (/^https?:\/\//i.test(to) && URL.canParse(to)) return to;
  throw new LinkupError(
    "location-invalid",
    text('"{0}" is not session, local, remote or an http(s) URL.', to),
  );
}
