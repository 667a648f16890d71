/** How requests reach a laptop. */
import type { TunnelData } from "../core/control.ts";
import { isLocal } from "../core/session.ts";
import { type Env, isDirect } from "./env.ts";
import { base64 } from "./secret.ts";

export interface TunnelRequest {
  session: string;
  /** What this session had before; null for its first tunnel. */
  existing: TunnelData | null;
  /** Where the local server of this session listens, as its client says; only for `direct`. */
  url: string | null;
}

/** Makes and deletes the tunnels of sessions. Both calls can be repeated without harm. */
export interface TunnelProvider {
  /** The session's tunnel, made if there is none. Throws an Error that says what failed. */
  open(request: TunnelRequest): Promise<TunnelData>;
  /** Deletes it and all that belongs to it. */
  close(tunnel: TunnelData): Promise<void>;
}

export function tunnelProvider(env: Env): TunnelProvider {
  if (isDirect(env)) return directTunnels(env);
  throw new Error(`LINKUP_TUNNEL is ${JSON.stringify(env.LINKUP_TUNNEL)}, and only "direct" is known.`);
}

/** No tunnel: the Worker and the laptop are one machine. */
function directTunnels(env: Env): TunnelProvider {
  return {
    async open({ session, existing, url }) {
      const here = url !== null && isLocal(url) ? url : env.LINKUP_DIRECT_TUNNEL_URL || "http://127.0.0.1:80";
      return {
        account_id: "direct",
        name: `${env.TUNNEL_NAME_PREFIX ?? ""}${session}`,
        url: here,
        id: existing?.id ?? crypto.randomUUID(),
        secret: existing?.secret ?? base64(crypto.getRandomValues(new Uint8Array(32))),
        last_started: Date.now(),
      };
    },
    async close() {},
  };
}
