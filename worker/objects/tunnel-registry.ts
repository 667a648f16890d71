/** The directory's ledger of tunnels, as tunnel providers ask for it. */
import type { Env } from "../env.ts";
import type { TunnelRegistry } from "../tunnel/provider.ts";
import { directory } from "./directory-object.ts";

export function tunnelRegistry(env: Env): TunnelRegistry {
  const ledger = directory(env);
  return {
    workerId: async () => ledger.tunnelWorkerId(),
    known: async (ids) => (ids.length > 0 ? ledger.knownTunnels([...ids]) : []),
    add: async (tunnel) => ledger.addTunnel(tunnel),
    remove: async (id) => ledger.removeTunnel(id),
    next: async (limit, createdBefore) => ledger.nextTunnels(limit, createdBefore),
  };
}
