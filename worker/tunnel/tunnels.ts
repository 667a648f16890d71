/** Chooses the tunnel provider this Worker is deployed with. */
import { type Env, isDirect } from "../env.ts";
import { cloudflareTunnels } from "./cloudflare-tunnels.ts";
import { directTunnels } from "./direct-tunnels.ts";
import type { TunnelProvider, TunnelRegistry } from "./provider.ts";

export function tunnelProvider(env: Env, registry: TunnelRegistry): TunnelProvider {
  return isDirect(env) ? directTunnels(env) : cloudflareTunnels(env, registry);
}
