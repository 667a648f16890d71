/**
 * The provider for Cloudflare tunnels: a tunnel in the account and a DNS record that points to it. Nothing is deleted or
 * repointed that is not proven to be this Worker's: noted in its registry, or marked with its own mark.
 */
import { defaultTunnelPrefix, prefixProblem, tunnelMark } from "../../core/api/tunnel-marks.ts";
import type { TunnelData } from "../../core/api/worker-api.ts";
import type { Env } from "../env.ts";
import { type ApiTunnel, type CloudflareApi, cloudflareApi, type TunnelDnsRecord } from "./cloudflare-api.ts";
import { type SweepReport, TunnelError, type TunnelProvider, type TunnelRegistry } from "./provider.ts";

/** A tunnel verified this recently is not verified again: a toggle should cost no call to Cloudflare. */
const VERIFY_INTERVAL_MS = 10 * 60 * 1000;
/** Younger tunnels and records may still be under construction. */
const SWEEP_MIN_AGE_MS = 60 * 60 * 1000;
/** How long a client waits for its session at most; a sweep has no client waiting. */
const CREATE_BUDGET_MS = 12_000;
const SWEEP_BUDGET_MS = 5 * 60 * 1000;
/** Of one sweep: the free plan allows 50 subrequests in one invocation, and starts need Cloudflare's API too. */
const SWEEP_CALLS = 40;
/** Of one sweep: whether a session has them is asked of its object. */
const SWEEP_TUNNELS = 200;
/** The most names in one line of the log. */
const MAX_NAMES = 10;
/** Of one label of a host name (RFC 1035). */
const MAX_LABEL_LENGTH = 63;

export function cloudflareTunnels(env: Env, registry: TunnelRegistry): TunnelProvider {
  const apiForClient = () => cloudflareApi(env, { budgetMs: CREATE_BUDGET_MS });

  /** An earlier configuration may have no prefix: it gets the one that a deployment would give it. */
  async function prefixOf(api: () => CloudflareApi): Promise<string> {
    const prefix = env.TUNNEL_NAME_PREFIX || defaultTunnelPrefix(await api().zoneName());
    const problem = prefixProblem(prefix);
    if (problem) throw new TunnelError(problem);
    return prefix;
  }

  const ownMark = async (prefix: string) => tunnelMark(prefix, await registry.workerId());

  /** `secret`: the one of a creation whose outcome is unknown. */
  async function isOurs(
    api: CloudflareApi,
    { id, mark }: ApiTunnel,
    own: string,
    secret: string | undefined,
  ): Promise<boolean> {
    if (mark === own || (await registry.known([id])).length > 0) return true;
    return secret !== undefined && (await api.hasSecret(id, secret));
  }

  /** Points the host to the tunnel. Takes over a record only if it led to a tunnel of ours that is gone. */
  async function point(api: CloudflareApi, host: string, tunnelId: string, mark: string): Promise<void> {
    if (await api.createRecord(host, tunnelId, mark)) return;
    const { tunnels, others } = await api.recordsOf(host);
    if (others[0])
      throw new TunnelError(
        `The DNS record ${host} (${others[0]}) conflicts with the tunnel, and was not created by Linkup. Delete it, or choose another session name.`,
        { taken: true },
      );
    const [record] = tunnels;
    if (!record)
      throw new TunnelError(`Cloudflare reports that the DNS record ${host} exists, but does not list it.`);
    if (record.tunnelId === tunnelId) return;
    if (!(await isAbandoned(api, record, mark)))
      throw new TunnelError(
        `The DNS record ${host} leads to another tunnel (${record.tunnelId}), which this Worker did not make. Delete the record if nobody needs it, or choose another session name.`,
        { taken: true },
      );
    await api.changeRecord(record.id, host, tunnelId, mark);
  }

  /** True for a record of ours whose tunnel is gone. */
  async function isAbandoned(api: CloudflareApi, record: TunnelDnsRecord, mark: string): Promise<boolean> {
    const { comment, tunnelId } = record;
    const isOurs = comment === mark || (await registry.known([tunnelId])).length > 0;
    return isOurs && !(await api.hasTunnel(tunnelId));
  }

  /** Deletes a tunnel that is ours, and then the records that led to it. */
  async function remove(api: CloudflareApi, id: string, host: string): Promise<void> {
    await api.deleteTunnel(id);
    const { tunnels } = await api.recordsOf(host);
    for (const record of tunnels) if (record.tunnelId === id) await api.deleteRecord(record.id);
    await registry.remove(id);
  }

  return {
    async nameProblem(session) {
      const prefix = await prefixOf(apiForClient);
      const { length } = `${prefix}${session}`;
      if (length <= MAX_LABEL_LENGTH) return undefined;
      return `The session name "${session}" is too long for a tunnel: with the prefix "${prefix}" it has ${length} characters, the maximum is ${MAX_LABEL_LENGTH}.`;
    },

    async check() {
      const api = apiForClient();
      const name = `${await prefixOf(() => api)}check`;
      await api.tunnelsNamed(name);
      await api.recordsOf(`${name}.${await api.zoneName()}`);
    },

    async reuse(session, { data, verified }, { verify }) {
      const now = Date.now();
      const started = { ...data, last_started: now };
      if (!verify && now - verified < VERIFY_INTERVAL_MS) return { data: started, verified };
      const api = apiForClient();
      if (!(await api.hasTunnel(data.id))) return undefined;
      const host = new URL(data.url).hostname;
      const { tunnels } = await api.recordsOf(host);
      if (!tunnels.some(({ tunnelId }) => tunnelId === data.id)) return undefined;
      // Tunnels of earlier versions are not noted.
      await registry.add({ id: data.id, session, name: data.name, host, created: now });
      return { data: started, verified: now };
    },

    async create(session, _url, secret) {
      const api = apiForClient();
      const prefix = await prefixOf(() => api);
      const mark = await ownMark(prefix);
      const name = `${prefix}${session}`;
      const host = `${name}.${await api.zoneName()}`;
      let id = await api.createTunnel(name, secret, mark);
      if (id === "name-taken") {
        for (const tunnel of await api.tunnelsNamed(name)) {
          if (!(await isOurs(api, tunnel, mark, secret))) throw nameTaken(tunnel);
          await api.deleteTunnel(tunnel.id);
          await registry.remove(tunnel.id);
        }
        id = await api.createTunnel(name, secret, mark);
      }
      if (id === "name-taken")
        throw new TunnelError(
          `Cloudflare has another tunnel named "${name}", which could not be replaced. Delete it there, or choose another session name.`,
          { taken: true },
        );
      const now = Date.now();
      await registry.add({ id, session, name, host, created: now });
      await point(api, host, id, mark);
      const data: TunnelData = {
        account_id: api.accountId,
        name,
        url: `https://${host}`,
        id,
        secret,
        last_started: now,
      };
      return { data, verified: now };
    },

    async delete({ session, id, secret, ...known }) {
      const api = apiForClient();
      const prefix = await prefixOf(() => api);
      const name = known.name ?? `${prefix}${session}`;
      const host = known.host ?? `${name}.${await api.zoneName()}`;
      const mark = await ownMark(prefix);
      // The one with this id is ours: the session's object got it when it was made.
      if (id !== null) await remove(api, id, host);
      for (const tunnel of await api.tunnelsNamed(name))
        if (await isOurs(api, tunnel, mark, secret)) await remove(api, tunnel.id, host);
      for (const record of (await api.recordsOf(host)).tunnels)
        if (await isAbandoned(api, record, mark)) await api.deleteRecord(record.id);
    },

    async sweep(isOwned) {
      const report: SweepReport = { deleted: [], failed: [], left: [] };
      const api = cloudflareApi(env, { budgetMs: SWEEP_BUDGET_MS, maxRetries: 0 });
      const callsLeft = () => SWEEP_CALLS - api.calls;
      const prefix = await prefixOf(() => api);
      const mark = await ownMark(prefix);
      const createdBefore = Date.now() - SWEEP_MIN_AGE_MS;
      const attempt = async (what: string, action: () => Promise<void>): Promise<boolean> => {
        try {
          await action();
          report.deleted.push(what);
          return true;
        } catch (error) {
          report.failed.push(`${what}: ${(error as Error).message}`);
          return false;
        }
      };

      // Tunnels whose creation was interrupted before they were noted.
      const zone = await api.zoneName();
      const listed = await api.tunnelsWithPrefix(prefix);
      const living = new Set(listed.items.map(({ id }) => id));
      const known = new Set(await registry.known([...living]));
      const strangers: string[] = [];
      for (const { id, name, created, mark: found, status } of listed.items.filter(
        ({ id }) => !known.has(id),
      )) {
        const session = name.slice(prefix.length);
        // Tunnels of earlier versions have no mark, but are known to their session's object.
        const isOurs = found === mark || (strangers.length < SWEEP_TUNNELS && (await isOwned(session, id)));
        if (isOurs) await registry.add({ id, session, name, host: `${name}.${zone}`, created });
        else if (created < createdBefore) strangers.push(`${name} (${status})`);
      }
      if (strangers.length > 0)
        report.left.push(
          `${strangers.length} tunnels with the prefix ${prefix} that this Worker did not make, or that have no mark: ${shortened(strangers)}. Delete them at Cloudflare if nobody needs them.`,
        );

      for (const { id, session, name, host } of await registry.next(SWEEP_TUNNELS, createdBefore)) {
        // A deletion takes up to three calls.
        if (callsLeft() < 3) break;
        if (await isOwned(session, id)) continue;
        if (await attempt(`tunnel ${name}`, () => remove(api, id, host))) living.delete(id);
      }

      if (callsLeft() < 1) return report;
      const records = (await api.tunnelRecords(prefix)).filter(({ created }) => created < createdBefore);
      const noted = new Set(await registry.known(records.map(({ tunnelId }) => tunnelId)));
      const unmarked: string[] = [];
      // In any order, so that those that cannot be deleted do not keep others from their turn.
      for (const { id, name, tunnelId, comment } of shuffled(records)) {
        if (living.has(tunnelId)) continue;
        if (comment !== mark && !noted.has(tunnelId)) {
          unmarked.push(name);
          continue;
        }
        if (callsLeft() < 2) break;
        // The list may have been cut, and a tunnel may have another name than its record.
        if (await api.hasTunnel(tunnelId)) continue;
        await attempt(`DNS record ${name}`, () => api.deleteRecord(id));
      }
      if (unmarked.length > 0)
        report.left.push(
          `${unmarked.length} DNS records that lead to a tunnel, and that this Worker did not make: ${shortened(unmarked)}.`,
        );
      return report;
    },
  };
}

function nameTaken({ name, id, status }: ApiTunnel): TunnelError {
  return new TunnelError(
    `Cloudflare has a tunnel named "${name}" (${id}, ${status}) that this Worker did not make. Delete it there if nobody needs it, or choose another session name.`,
    { taken: true },
  );
}

function shortened(names: readonly string[]): string {
  const more = names.length - MAX_NAMES;
  return names.slice(0, MAX_NAMES).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
