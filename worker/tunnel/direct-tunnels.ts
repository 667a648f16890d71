/** The provider for a Worker on the laptop itself: no tunnel, only the address of the local server. */
import { isLocal } from "../../core/session/session-document.ts";
import type { Env } from "../env.ts";
import type { TunnelProvider } from "./provider.ts";

export function directTunnels(env: Env): TunnelProvider {
  const tunnelUrl = (url: string | null) =>
    url !== null && isLocal(url) ? url : env.LINKUP_DIRECT_TUNNEL_URL || "http://127.0.0.1:80";
  return {
    nameProblem: async () => undefined,
    async check() {},
    async reuse(_session, { data }, { url }) {
      const now = Date.now();
      return { data: { ...data, url: tunnelUrl(url), last_started: now }, verified: now };
    },
    async create(session, url, secret) {
      const now = Date.now();
      const data = {
        account_id: "direct",
        name: `${env.TUNNEL_NAME_PREFIX ?? ""}${session}`,
        url: tunnelUrl(url),
        id: crypto.randomUUID(),
        secret,
        last_started: now,
      };
      return { data, verified: now };
    },
    async delete() {},
    sweep: async () => ({ deleted: [], failed: [], left: [] }),
  };
}
