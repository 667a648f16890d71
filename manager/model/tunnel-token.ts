/** The token of a tunnel. */
import type { TunnelData } from "../../core/api/control-api.ts";

/** What cloudflared takes as a token. It travels by environment: arguments are for everyone to see. */
export function tunnelToken({ account_id, secret, id }: TunnelData): string {
  return Buffer.from(JSON.stringify({ a: account_id, s: secret, t: id })).toString("base64");
}
