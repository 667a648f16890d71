/** What must not stand in a log. */
import type { SessionRecord } from "./state.ts";
import { tunnelToken } from "./tunnel-token.ts";

/** Shorter secrets would match ordinary words. */
const SHORTEST_SECRET = 8;

/** All secrets of these sessions. */
export function secretsOf(records: readonly SessionRecord[]): string[] {
  const all = records.flatMap(({ worker_token, session_token, origin_secret, trace_key, tunnel }) => [
    worker_token,
    session_token,
    origin_secret,
    trace_key ?? null,
    ...(tunnel ? [tunnel.secret, tunnelToken(tunnel)] : []),
  ]);
  return all.filter((secret): secret is string => secret !== null && secret.length >= SHORTEST_SECRET);
}
