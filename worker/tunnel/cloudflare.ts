/** Tunnels through Cloudflare: a tunnel in the account and a DNS record that points to it. */
import type { TunnelData } from "../../core/api/control-api.ts";
import type { Env } from "../env.ts";
import { base64 } from "../secret.ts";
import { type CloudflareApi, cloudflareApi } from "./cloudflare-api.ts";
import { TunnelError, type TunnelProvider } from "./provider.ts";

/** A tunnel that was there this recently is not asked for again: a toggle should cost no call to Cloudflare. */
const VERIFY_EVERY_MS = 10 * 60 * 1000;
/** What is younger may be in the making. */
const SWEEP_AFTER_MS = 60 * 60 * 1000;
/** How long a client waits for its session at most, in milliseconds; a sweep has no one waiting. */
const OPEN_BUDGET_MS = 12_000;
const SWEEP_BUDGET_MS = 10 * 60 * 1000;
/** One label of a host name. */
const MOST_CHARACTERS = 63;

export function cloudflareTunnels(env: Env): TunnelProvider {
  const prefix = env.TUNNEL_NAME_PREFIX ?? "";
  const within = (budget: number) => cloudflareApi(env, budget);

  return {
    nameProblem(session) {
      const { length } = `${prefix}${session}`;
      if (length <= MOST_CHARACTERS) return undefined;
      return `The session name "${session}" is too long for a tunnel: with the prefix "${prefix}" it has ${length} characters, ${MOST_CHARACTERS} are possible.`;
    },

    async keep({ data, verified }) {
      const now = Date.now();
      const started = { ...data, last_started: now };
      if (now - verified < VERIFY_EVERY_MS) return { data: started, verified };
      const api = within(OPEN_BUDGET_MS);
      const isThere =
        (await api.hasTunnel(data.id)) && (await api.leadsTo(new URL(data.url).hostname, data.id));
      return isThere ? { data: started, verified: now } : undefined;
    },

    async open(session) {
      const api = within(OPEN_BUDGET_MS);
      const name = `${prefix}${session}`;
      const host = `${name}.${await api.zoneName()}`;
      const data = await newTunnel(api, name, host);
      await api.pointRecord(host, data.id);
      return { data, verified: Date.now() };
    },

    async close({ session, id }) {
      const api = within(OPEN_BUDGET_MS);
      const name = `${prefix}${session}`;
      await api.deleteRecords(`${name}.${await api.zoneName()}`);
      const ids = new Set(await api.tunnelsNamed(name));
      if (id !== null) ids.add(id);
      for (const tunnel of ids) await api.deleteTunnel(tunnel);
    },

    async sweep(isOwned) {
      // Without a prefix nothing tells our tunnels from those of others.
      if (prefix === "") return [];
      const api = within(SWEEP_BUDGET_MS);
      const deleted: string[] = [];
      const young = Date.now() - SWEEP_AFTER_MS;
      const kept = new Set<string>();
      for (const tunnel of await api.tunnelsWithPrefix(prefix)) {
        const owned = await isOwned(tunnel.name.slice(prefix.length), tunnel.id);
        if (owned || tunnel.created > young) kept.add(tunnel.id);
        else {
          await api.deleteTunnel(tunnel.id);
          deleted.push(`tunnel ${tunnel.name}`);
        }
      }
      for (const record of await api.tunnelRecords(prefix)) {
        if (kept.has(record.tunnelId) || record.created > young) continue;
        await api.deleteRecord(record.id);
        deleted.push(`DNS record ${record.name}`);
      }
      return deleted;
    },
  };
}

/** A tunnel of this name that nobody here knows of is of the past: it goes, since its secret is not ours. */
async function newTunnel(api: CloudflareApi, name: string, host: string): Promise<TunnelData> {
  const secret = base64(crypto.getRandomValues(new Uint8Array(32)));
  let id = await api.createTunnel(name, secret);
  if (id === "name-taken") {
    for (const old of await api.tunnelsNamed(name)) await api.deleteTunnel(old);
    id = await api.createTunnel(name, secret);
  }
  if (id === "name-taken")
    throw new TunnelError(`Another tunnel is called "${name}" and could not be replaced.`);
  return { account_id: api.accountId, name, url: `https://${host}`, id, secret, last_started: Date.now() };
}
