/** Who passed the session on, from the requests of the last minutes. */
import { PROPAGATION_WINDOW_MS, type Propagation, propagation } from "../../../core/exchange/propagation.ts";
import type { RequestLogClient } from "./control-client.ts";

const MAX_EXCHANGES = 10_000;

export async function checkRecordedRequests(log: Pick<RequestLogClient, "requests">): Promise<Propagation> {
  const since = Date.now() - PROPAGATION_WINDOW_MS;
  return propagation((await log.requests({ limit: MAX_EXCHANGES })).filter(({ time }) => time >= since));
}
