/** What coding agents are told of the requests that came, in the editor and in terminals. */
import type { ExchangeFilter } from "../core/api/request-log-api.ts";
import type { RequestLog } from "./components/local-server/control-client.ts";

export interface AsksForRequests
  extends Pick<ExchangeFilter, "session" | "service" | "failed" | "path" | "limit"> {
  /** Only this one, with all that is known of it. */
  id?: number;
}

/** An agent reads every line. */
const FEW = 20;

/** As JSON, secrets replaced by `***`. Bodies are left out: a user may have asked for them, but not for an agent. */
export async function requestsForAgents(
  log: RequestLog,
  { id, ...filter }: AsksForRequests,
): Promise<string> {
  if (id === undefined) return JSON.stringify(await log.requests({ limit: FEW, ...filter }), null, 1);
  const { request_body, response_body, ...details } = await log.request(id);
  return JSON.stringify(details, null, 1);
}
