/** The provider for Cloudflare tunnels: a tunnel in the account and a DNS record that points to it. */
import type { TunnelData } from "../../core/api/worker-api.ts";
import type { Env } from "../env.ts";
import { base64 } from "../secret.ts";
import { type CloudflareApi, cloudflareApi } from "./cloudflare-api.ts";
import { TunnelError, type TunnelProvider } from "./provider.ts";

/** A tunnel verified this recently is not verified again: a toggle should cost no call to Cloudflare. */
const VERIFY_INTERVAL_MS = 10 * 60 * 1000;
/** Younger tunnels and records may still be under construction. */
const SWEEP_MIN_AGE_MS = 60 * 60 * 1000;
/** How long a client waits for its session at most; a sweep has no client waiting. */
const CREATE_BUDGET_MS = 12_000;
const SWEEP_BUDGET_MS = 10 * 60 * 1000;
/** Of one label of a host name (RFC 1035). */
const MAX_LABEL_LENGTH = 63;

export function cloudflareTunnels(env: Env): TunnelProvider {
  const prefix = env.TUNNEL_NAME_PREFIX ?? "";
  const apiWithin = (budgetMs: number) => cloudflareApi(env, budgetMs);

  return {
    nameProblem(session) {
      const { length } = `${prefix}${session}`;
      if (length <= MAX_LABEL_LENGTH) return undefined;
      return `The session name "${session}" is too long for a tunnel: with the prefix "${prefix}" it has ${length} characters, the maximum is ${MAX_LABEL_LENGTH}.`;
    },

    async reuse({ data, verified }) {
      const now = Date.now();
      const started = { ...data, last_started: now };
      if (now - verified < VERIFY_INTERVAL_MS) return { data: started, verified };
      const api = apiWithin(CREATE_BUDGET_MS);
      const exists =
        (await api.hasTunnel(data.id)) && (await api.pointsTo(new URL(data.url).hostname, data.id));
      return exists ? { data: started, verified: now } : undefined;
    },

    async create(session) {
      const api = apiWithin(CREATE_BUDGET_MS);
      const name = `${prefix}${session}`;
      const host = `${name}.${await api.zoneName()}`;
      const data = await newTunnel(api, name, host);
      await api.pointRecord(host, data.id);
      return { data, verified: Date.now() };
    },

    async delete({ session, id }) {
      const api = apiWithin(CREATE_BUDGET_MS);
      const name = `${prefix}${session}`;
      await api.deleteRecords(`${name}.${await api.zoneName()}`);
      const ids = new Set(await api.tunnelsNamed(name));
      if (id !== null) ids.add(id);
      for (const tunnel of ids) await api.deleteTunnel(tunnel);
    },

    async sweep(isOwned) {
      // Without a prefix our tunnels cannot be told from those of others.
      if (prefix === "") return [];
      const api = apiWithin(SWEEP_BUDGET_MS);
      const deleted: string[] = [];
      const createdBefore = Date.now() - SWEEP_MIN_AGE_MS;
      const kept = new Set<string>();
      for (const tunnel of await api.tunnelsWithPrefix(prefix)) {
        const owned = await isOwned(tunnel.name.slice(prefix.length), tunnel.id);
        if (owned || tunnel.created > createdBefore) kept.add(tunnel.id);
        else {
          await api.deleteTunnel(tunnel.id);
          deleted.push(`tunnel ${tunnel.name}`);
        }
      }
      for (const record of await api.tunnelRecords(prefix)) {
        if (kept.has(record.tunnelId) || record.created > createdBefore) continue;
        await api.deleteRecord(record.id);
        deleted.push(`DNS record ${record.name}`);
      }
      return deleted;
    },
  };
}

/** Replaces an orphan of the same name: its secret is not known here, so it cannot be reused. */
async function newTunnel(api: CloudflareApi, name: string, host: string): Promise<TunnelData> {
  const secret = base64(crypto.getRandomValues(new Uint8Array(32)));
  let id = await api.createTunnel(name, secret);
  if (id === "name-taken") {
    for (const old of await api.tunnelsNamed(name)) await api.deleteTunnel(old);
    id = await api.createTunnel(name, secret);
  }
  if (id === "name-taken")
    throw new TunnelError(
      `Cloudflare has another tunnel named "${name}", which could not be replaced. Delete it there, or choose another session name.`,
    );
  return { account_id: api.accountId, name, url: `https://${host}`, id, secret, last_started: Date.now() };
}
