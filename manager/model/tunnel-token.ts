/** cloudflared's tunnel token. */
import type { TunnelData } from "../../core/api/worker-api.ts";

/** Encodes the token that cloudflared expects. It is passed in the environment, because arguments are visible to every user. */
export function tunnelToken({ account_id, secret, id }: TunnelData): string {
  return Buffer.from(JSON.stringify({ a: account_id, s: secret, t: id })).toString("base64");
}
